"""Several copies of the engine behind one front door, as Ray Serve deployments (the extra `ray`).

The front door - page, API, gate - stays one process and reaches the replicas through handles: `workbench.backends.ray`.
"""
