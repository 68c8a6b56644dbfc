"""Commands and files of a host, over a real sshd on loopback."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.ssh.files import ABSENT, sum_of
from reconciler.drivers.ssh.shell import AT_ONCE, LARGEST_BYTES, Shell
from reconciler.errors import Conflict, Denied, NotFound, Unreachable
from tests.remotes.sshd import Sshd, free_port, make_key

LARGE = 5 * 1024**2  # more than fits in a window of the protocol


def test_what_goes_in_comes_out(shell: Shell) -> None:
    content = bytes(range(256)) * 100
    assert shell.run(["cat"], stdin=content).stdout == content


def test_a_command_says_how_it_ended_and_what_it_complained(shell: Shell) -> None:
    result = shell.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\n", b"err\n")


@pytest.mark.parametrize("redirected", ["", ">&2"])
def test_long_answers_do_not_block(shell: Shell, redirected: str) -> None:
    result = shell.run(["sh", "-c", f"head -c {LARGE} /dev/zero {redirected}"])
    assert len(result.stdout) + len(result.stderr) == LARGE


def test_input_that_nobody_reads_is_no_error(shell: Shell) -> None:
    assert shell.run(["sh", "-c", "exit 3"], stdin=b"x" * LARGE).exit_code == 3


def test_an_answer_without_end_is_cut_off(shell: Shell) -> None:
    with pytest.raises(Conflict, match=str(LARGEST_BYTES)):
        shell.run(["cat", "/dev/zero"])
    assert shell.run(["true"]).exit_code == 0


def test_output_takes_nothing_but_success(shell: Shell) -> None:
    assert shell.output(["echo", "yes"]) == b"yes\n"
    with pytest.raises(Conflict, match=r"virt1: list: ls: cannot access"):
        shell.output(["ls", "/does/not/exist"], operation="list")
    with pytest.raises(Conflict, match=r"virt1: run false: exit code 1"):
        shell.output(["false"])


def test_one_connection_serves_all_commands(shell: Shell) -> None:
    peers = {shell.output(["sh", "-c", 'echo "$SSH_CONNECTION"']) for _ in range(3)}
    assert len(peers) == 1


def test_many_threads_share_the_connection_and_none_is_turned_away(shell: Shell) -> None:
    with ThreadPoolExecutor(3 * AT_ONCE) as pool:
        answers = list(pool.map(lambda each: shell.output(["echo", str(each)]), range(60)))
    assert answers == [f"{each}\n".encode() for each in range(60)]


def test_a_connection_that_broke_is_made_anew(sshd: Sshd, shell: Shell) -> None:
    before = shell.output(["sh", "-c", 'echo "$SSH_CONNECTION"'])
    sshd.break_connections()
    assert shell.output(["sh", "-c", 'echo "$SSH_CONNECTION"']) != before


def test_what_was_under_way_when_it_broke_is_unknown(sshd: Sshd, shell: Shell) -> None:
    shell.run(["true"])
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(shell.run, ["sleep", "20"])
        _until(lambda: any("sleep" in _name(each) for each in sshd.sessions()))
        sshd.break_connections()
        with pytest.raises(Unreachable, match="the connection broke"):
            running.result()


def test_a_closed_shell_opens_again(shell: Shell) -> None:
    shell.run(["true"])
    shell.close()
    assert shell.output(["echo", "again"]) == b"again\n"


def test_a_command_that_takes_too_long_is_stopped_and_the_connection_kept(
    shell: Shell, tmp_path: Path
) -> None:
    before = shell.output(["sh", "-c", 'echo "$SSH_CONNECTION"'])
    argv = ["sh", "-c", f"sleep 2; touch {tmp_path}/late"]
    with pytest.raises(Unreachable, match=r"virt1: wait: not done within 0.5 s, and stopped"):
        shell.run(argv, deadline=timedelta(seconds=0.5), operation="wait")
    assert shell.output(["sh", "-c", 'echo "$SSH_CONNECTION"']) == before
    assert not (tmp_path / "late").exists()


def test_files_are_written_and_read(shell: Shell, tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "file")
    with pytest.raises(NotFound, match="there is no such file"):
        shell.read_file(path)
    shell.write_file(path, b"one\0", 0o600, replaces=ABSENT)
    assert shell.read_file(path) == b"one\0"
    shell.write_file(path, b"two", replaces=sum_of(b"one\0"))
    with pytest.raises(Conflict, match="somebody else has changed it"):
        shell.write_file(path, b"three", replaces=sum_of(b"one\0"))
    assert shell.read_file(path) == b"two"


def test_a_file_that_cannot_be_written_says_why(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Conflict, match=r"virt1: write .*: mkdir: .*"):
        shell.write_file(str(tmp_path / "file" / "below"), b"x")


def test_a_file_that_cannot_be_read_says_why(shell: Shell, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=r"Is a directory"):
        shell.read_file(str(tmp_path))


def test_a_host_where_nothing_listens_is_unreachable(sshd: Sshd) -> None:
    with pytest.raises(Unreachable, match=r"virt1: connect: .* Connection refused"):
        sshd.shell(port=free_port()).run(["true"])


def test_a_key_that_is_not_let_in_is_denied(sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    with pytest.raises(Denied, match="authorized_keys"):
        sshd.shell(key_file=other).run(["true"])


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), ("nonsense", "no private key")]
)
def test_a_key_that_is_none_is_denied(
    sshd: Sshd, tmp_path: Path, content: str | None, reason: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Denied, match=reason):
        sshd.shell(key_file=file).run(["true"])


def test_a_key_with_a_passphrase_is_denied_and_nobody_is_asked(sshd: Sshd, tmp_path: Path) -> None:
    import subprocess

    file = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", file], check=True)
    with pytest.raises(Denied, match="passphrase"):
        sshd.shell(key_file=file).run(["true"])


def _until(condition: object) -> None:
    ends = time.monotonic() + 20
    while not condition():  # type: ignore[operator] # a callable
        assert time.monotonic() < ends
        time.sleep(0.02)  # noqa: TID251 - bounded polling of another process


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text()
    except OSError:
        return ""
