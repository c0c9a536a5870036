"""The Account page in a browser: keys from making to revoking, a password, and accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS, OpenPage, copied
from tests.browser.demo import PASSWORD, Stage, serve
from tests.browser.settling import settle, watch
from tests.browser.test_look import LOOKS, axe_violations, is_wider_than_its_window, shoot
from workbench.core.access import AccountRole

pytestmark = pytest.mark.browser


def open_account(page: Page) -> Page:
    page.evaluate("location.hash = 'account'")
    page.wait_for_selector("#account-make")
    settle(page)
    return page


def make_key(page: Page, name: str) -> str:
    page.fill("#account-name :is(input, textarea)", name)
    page.click("#account-make")
    expect(page.locator("#account-notice")).to_contain_text("You will not see this again")
    expect(page.locator("#account-keys")).to_contain_text(name)
    settle(page)  # the key is chosen, and its limits are shown
    return page.locator("#account-secret code").inner_text()


def test_without_a_key_there_is_nothing_to_do_with_one(browser: Browser, shared: str) -> None:
    page = log_in(browser, shared, "bob")
    expect(page.locator("#account-keys")).to_contain_text("No keys yet")
    expect(page.locator("#account-revoke")).to_be_hidden()
    make_key(page, "first")
    expect(page.locator("#account-revoke")).to_be_visible()
    page.context.close()


def test_a_key_is_made_copied_disabled_rotated_and_revoked(open_page: OpenPage) -> None:
    page = open_account(open_page())
    secret = make_key(page, "nightly")
    assert copied(page, "#account-secret button") == secret
    page.click("#account-switch")
    expect(page.locator("#account-key-notice")).to_contain_text("is disabled")
    expect(page.locator("#account-keys")).to_contain_text("disabled")
    expect(page.locator("#account-switch")).to_have_text("Enable")
    page.click("#account-switch")
    expect(page.locator("#account-switch")).to_have_text("Disable")
    page.click("#account-rotate")
    expect(page.locator("#account-key-notice")).to_contain_text("new text")
    assert page.locator("#account-key-secret code").inner_text() != secret
    page.click("#account-revoke")
    page.click("#account-revoke-surely")
    expect(page.locator("#account-key-notice")).to_contain_text("The key is revoked")
    expect(page.locator("#account-key-secret")).not_to_contain_text("wb-")


def test_a_keys_limits_are_changed(open_page: OpenPage) -> None:
    page = open_account(open_page())
    make_key(page, "bounded")
    page.click("text=Limits of this key")
    page.fill("#account-limit-1 input", "30")
    page.click("#account-save-limits")
    expect(page.locator("#account-key-notice")).to_contain_text("limits are saved")
    expect(page.locator("#account-keys")).to_contain_text("30 a minute")


@pytest.mark.parametrize(("size", "window", "dark", "scheme"), LOOKS)
def test_the_page_is_accessible_and_fits_its_window(
    open_page: OpenPage, size: tuple[int, int], window: str, dark: bool, scheme: str
) -> None:
    page = open_account(open_page(size, dark=dark))
    make_key(page, f"{window} {scheme}")
    shoot(page, f"account-keys-{window}-{scheme}")
    found = axe_violations(page)
    page.locator("#account-local").scroll_into_view_if_needed()
    shoot(page, f"account-end-{window}-{scheme}")
    assert not found
    assert not is_wider_than_its_window(page)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server where everybody logs in."""
    accounts = {"ada": AccountRole.ADMIN, "bob": AccountRole.MEMBER}
    with serve(Stage(), tmp_path_factory.mktemp("shared"), accounts=accounts) as address:
        yield address


def log_in(browser: Browser, address: str, name: str, password: str = PASSWORD) -> Page:
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    context.set_default_timeout(PATIENCE_MS)
    watch(context)
    page = context.new_page()
    page.goto(address)
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", password)
    page.click("form button")
    page.wait_for_selector("#wb-message textarea")
    return open_account(page)


def test_an_admin_makes_an_account_whose_owner_changes_its_password(browser: Browser, shared: str) -> None:
    admin = log_in(browser, shared, "ada")
    admin.fill("#people-name :is(input, textarea)", "eve")
    admin.fill("#people-password input", PASSWORD)
    admin.click("#people-make")
    expect(admin.locator("#people-notice")).to_contain_text("The account eve is made")
    expect(admin.locator("#account-accounts")).to_contain_text("eve")
    shoot(admin, "account-people")
    assert not axe_violations(admin)
    admin.context.close()

    member, elsewhere = (log_in(browser, shared, "eve") for _ in range(2))
    expect(member.locator("#account-people")).to_be_hidden()
    new = "another battery staple"
    for name, value in (("old", PASSWORD), ("new", new), ("again", new)):
        member.fill(f"#account-password-{name} input", value)
    member.click("#account-password-change")
    expect(member.locator("#account-password-notice")).to_contain_text("is changed")
    expect(member.locator("#account-password-old input")).to_have_value("")
    expect(elsewhere.locator("input[name=password]")).to_be_hidden()
    elsewhere.reload()
    expect(elsewhere.locator("input[name=password]")).to_be_visible()
    member.reload()
    expect(member.locator("#account-password")).to_be_visible()

    for name, value in (("old", PASSWORD), ("new", new), ("again", new)):
        member.fill(f"#account-password-{name} input", value)
    member.click("#account-password-change")
    expect(member.locator("#account-password-notice [role=alert]")).to_contain_text("The password is wrong")
    for page in (member, elsewhere):
        page.context.close()
    log_in(browser, shared, "eve", new).context.close()


def test_a_member_requests_models_and_adds_none(browser: Browser, shared: str) -> None:
    member = log_in(browser, shared, "bob")
    member.evaluate("location.hash = 'serverless'")
    member.click("#wb-model input")
    options = member.locator("ul[role=listbox] li")
    expect(options.last).to_contain_text("+ Request a model")
    assert not any("Add a model" in text for text in options.all_inner_texts())
    member.keyboard.press("Escape")
    member.evaluate("location.hash = 'models'")
    expect(member.locator("#models-for-members")).to_contain_text("Only admins add models")
    expect(member.locator("#models-form")).to_be_hidden()
    member.context.close()
