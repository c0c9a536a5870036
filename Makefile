# Every verb is a script of the same name: without make, run scripts/<verb>.
.PHONY: run install test test-all check bench audit screenshots check-gpu lock

run:
	@scripts/run

install:
	@scripts/install

test:
	@scripts/test

test-all:
	@scripts/test-all

check:
	@scripts/check

bench:
	@scripts/bench

audit:
	@scripts/audit

screenshots:
	@scripts/screenshots

check-gpu:
	@scripts/check-gpu

lock:
	@scripts/lock
