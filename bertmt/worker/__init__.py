"""The worker: takes queued runs, one child per device slot. Started as `python -m bertmt.worker`."""
