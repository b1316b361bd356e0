"""The supervisor of ./start with real processes: what is killed comes back, what is stopped leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from feedback.runner import instance as instances
from feedback.runner import redis_server
from feedback.runner.parts import redis_part
from feedback.runner.supervise import GaveUp, Part, Supervisor
from feedback.settings import ROOT
from feedback.settings_file import read_file

pytestmark = pytest.mark.journey

T = TypeVar("T")
PARTS = ["worker", "scheduler", "web"]


def eventually(look: Callable[[], T], seconds: float = 10.0) -> T:
    """The first true answer of look, or its last one."""
    until = time.monotonic() + seconds
    while not (answer := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return answer


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def pids_of(folder: Path, name: str) -> list[int]:
    path = folder / f"{name}.pid"
    return [int(word) for word in path.read_text().split()] if path.exists() else []


class Driver:
    """One supervisor process with stand-ins in a folder."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.output = (folder / "console").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("supervised.py")), str(folder), *names],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        self.names = names
        for name in names:
            assert eventually(lambda name=name: pids_of(folder, name)), self.console()  # type: ignore[misc]
        assert eventually(lambda: redis_server.answers(self.redis_url)), self.console()

    @property
    def redis_url(self) -> str:
        return redis_server.own_url(self.folder)

    def console(self) -> str:
        return (self.folder / "console").read_text()

    def all_pids(self) -> list[int]:
        return [pid for name in self.names for pid in pids_of(self.folder, name)]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.output.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    started: list[Driver] = []

    def begin(*names: str) -> Driver:
        started.append(Driver(tmp_path, *names))
        return started[-1]

    yield begin
    for driver in started:
        driver.close()


def test_supervisor_restarts_each_killed_part_and_what_it_left_behind_is_gone(start: Callable[..., Driver]) -> None:
    driver = start(*PARTS)
    for name in PARTS:
        main, beside = pids_of(driver.folder, name)
        os.kill(main, signal.SIGKILL)
        eventually(lambda name=name, main=main: pids_of(driver.folder, name)[0] != main)  # type: ignore[misc]
        again = pids_of(driver.folder, name)[0]
        assert again != main
        assert is_alive(again)
        assert not is_alive(beside)
        assert f"{name} ended (signal 9); starting it again in 0.1 s" in driver.console()


def test_supervisor_restarts_killed_redis_and_nothing_written_is_lost(start: Callable[..., Driver]) -> None:
    driver = start()
    url = driver.redis_url
    assert redis_server.ask(url, "SET kept 1", 2) == b"+OK\r\n"
    info = redis_server.ask(url, "INFO server", 2).decode()
    pid = int(next(line.partition(":")[2] for line in info.splitlines() if line.startswith("process_id:")))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: "redis ended (signal 9)" in driver.console() and redis_server.answers(url))
    assert redis_server.ask(url, "GET kept", 2) == b"$1\r\n1\r\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_supervisor_told_to_stop_ends_all_parts_in_order(start: Callable[..., Driver], number: signal.Signals) -> None:
    driver = start(*PARTS)
    pids = driver.all_pids()
    driver.process.send_signal(number)
    assert driver.process.wait(20) == 0
    assert (driver.folder / "ends").read_text().split() == ["web", "scheduler", "worker"]
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not redis_server.answers(driver.redis_url)


def test_supervisor_kills_a_part_that_does_not_listen(start: Callable[..., Driver]) -> None:
    driver = start("deaf", "web")
    pids = driver.all_pids()
    driver.process.terminate()
    assert driver.process.wait(20) == 0
    assert [pid for pid in pids if is_alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_supervisor_killed_leaves_no_part_running(start: Callable[..., Driver]) -> None:
    driver = start(*PARTS)
    mains = [pids_of(driver.folder, name)[0] for name in PARTS]
    driver.process.kill()
    driver.process.wait(5)
    assert eventually(lambda: not any(is_alive(pid) for pid in mains))
    assert eventually(lambda: not redis_server.answers(driver.redis_url))


def supervisor_in(folder: Path, lines: list[str]) -> Supervisor:
    return Supervisor(log_dir=folder, cwd=folder, environ=dict(os.environ), say=lines.append, first_wait=0.1)


def test_supervisor_waits_longer_each_time_for_a_part_that_keeps_ending(tmp_path: Path) -> None:
    lines: list[str] = []
    supervisor = supervisor_in(tmp_path, lines)
    supervisor.longest_wait = 0.3
    supervisor.start(Part("broken", (sys.executable, "-c", "raise SystemExit(7)")))
    until = time.monotonic() + 10
    while len(lines) < 4 and time.monotonic() < until:
        supervisor.pause(0.05)
    supervisor.stop()
    waits = [line.split("again in ")[1].split(" s.")[0] for line in lines]
    assert waits[:4] == ["0.1", "0.2", "0.3", "0.3"]
    assert "exit 7" in lines[0]


def test_order_answers_its_output_and_a_failing_one_says_what_went_wrong(tmp_path: Path) -> None:
    supervisor = supervisor_in(tmp_path, [])
    echo = (sys.executable, "-c", "import sys; print(sys.stdin.read().upper())")
    assert supervisor.order("echo", echo, stdin="heard") == "HEARD\n"
    with pytest.raises(GaveUp, match=r"(?s)migrate failed \(exit 3\).*no such table"):
        supervisor.order(
            "migrate", (sys.executable, "-c", "import sys; print('no such table', file=sys.stderr); sys.exit(3)")
        )
    with pytest.raises(GaveUp, match="signal 9"):
        supervisor.order("endless", ("sleep", "60"), seconds=0.2)


@pytest.mark.parametrize("name", ["long" * 25, '实例 "a\\b" 100%'])
def test_redis_whose_path_cannot_be_a_socket_listens_on_loopback_with_a_password(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    server = redis_server.prepare(folder)
    assert server.url.startswith("redis://:")
    supervisor = supervisor_in(folder, [])
    supervisor.start(redis_part(server))
    try:
        assert eventually(lambda: redis_server.answers(server.url))
        without = "redis://" + server.url.rpartition("@")[2]
        assert redis_server.ask(without, "PING", 2).startswith(b"-NOAUTH")
        assert server.url.split("@")[0].split(":")[-1] not in " ".join(server.argv)
        assert (folder / "redis" / "appendonlydir").is_dir()
    finally:
        supervisor.stop()
    assert redis_server.prepare(folder).url == server.url


def test_redis_files_belong_to_their_owner_alone_and_a_leftover_server_is_ended(tmp_path: Path) -> None:
    server = redis_server.prepare(tmp_path)
    process = subprocess.Popen(server.argv, stdout=subprocess.DEVNULL)
    try:
        assert eventually(lambda: redis_server.answers(server.url))
        assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "redis" / "redis.sock").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "redis" / "redis.conf").stat().st_mode) == 0o600
        assert redis_server.end_leftover(server.url)
        assert process.wait(5) == 0
        assert not redis_server.end_leftover(server.url)
    finally:
        process.kill()
        process.wait()


def run_start(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "feedback.runner", "--instance", str(folder), *words],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_second_start_says_who_has_the_instance_and_leaves_it_alone(tmp_path: Path) -> None:
    first = instances.open_instance(tmp_path / "i")
    first.tell_lock("http://127.0.0.1:8123")
    before = sorted(path.name for path in first.path.iterdir())
    second = run_start(first.path)
    assert second.returncode == 3
    assert f"process {os.getpid()}" in second.stderr
    assert "http://127.0.0.1:8123" in second.stderr
    assert sorted(path.name for path in first.path.iterdir()) == before
    first.release()


def test_start_on_a_port_in_use_says_so_and_changes_no_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run_start(tmp_path / "i", "--port", str(port))
    assert refused.returncode == 4
    assert f"Port {port} is in use" in refused.stderr
    assert not (tmp_path / "i" / "settings.env").exists()


def test_start_with_a_wrong_setting_names_it_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    refused = run_start(tmp_path / "i", "--check", DATABASE_URL="mysql://root:hush@db/zhida")
    assert refused.returncode == 2
    assert "DATABASE_URL" in refused.stderr
    assert "hush" not in refused.stderr + refused.stdout
    assert "DATABASE_URL" not in read_file(tmp_path / "i" / "settings.env")


def test_start_remembers_what_it_made_and_what_was_chosen_by_hand(tmp_path: Path) -> None:
    instance = instances.open_instance(tmp_path / "i")
    own = "unix:///run/own.sock"
    settings, values = instances.choose_settings(instance, {}, port=8001, own_redis_url=own)
    instances.keep_settings(instance, values)
    kept = read_file(instance.settings_path)
    assert kept == {
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": f"sqlite:///{instance.path}/zhida.db",
        "REDIS_URL": own,
        "PORT": "8001",
        "BASE_URL": "http://127.0.0.1:8001",
    }
    assert stat.S_IMODE(instance.settings_path.stat().st_mode) == 0o600
    assert instances.wants_own_redis(instance, {}, own)
    assert not instances.wants_own_redis(instance, {"REDIS_URL": "redis://elsewhere:6379/0"}, own)

    instances.keep_settings(instance, {"BASE_URL": "https://zhida.test"})
    again, values = instances.choose_settings(instance, {"SWEEP_SECONDS": "9"}, port=8002, own_redis_url=own)
    assert (again.secret_key, again.base_url, again.sweep_seconds) == (settings.secret_key, "https://zhida.test", 9)
    assert values["PORT"] == "8002"
    instance.release()
