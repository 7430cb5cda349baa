"""Workers in the test's own process, until nothing is left to do."""

import asyncio
import threading

from fundcenter.office.management import worker


def work_off(workers: int = 1) -> None:
    """In threads of their own, as a browser's loop may be running in this one."""
    errors: list[BaseException] = []

    def one() -> None:
        try:
            asyncio.run(worker.work(concurrency=1, wait=False))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
