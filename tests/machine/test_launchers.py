"""What --distributed and the variables of launchers say."""

import pytest

from fnn.errors import InputError
from fnn.machine.launchers import Place, alone_among_tasks, is_first_task, place

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:9911,4,2", Place("127.0.0.1", 9911, 4, 2)),
        ("node7.cluster:9911,2,0", Place("node7.cluster", 9911, 2, 0)),
        ("[::1]:9911,2,1", Place("::1", 9911, 2, 1)),
    ],
)
def test_a_value_says_where_and_which(text, found):
    assert place(text, {}) == found


@pytest.mark.parametrize(
    "text", ["node7", "node7:9911", "node7:9911,2", ":9911,2,0", "node7,2,0", "a:b,2,0", "a:1,2,-1"]
)
def test_what_is_no_value_is_refused_with_the_form(text):
    with pytest.raises(InputError, match="expected HOST:PORT,N,I: the address of process 0"):
        place(text, {})


@pytest.mark.parametrize(
    ("text", "said"), [("a:1,2,2", "of 2 processes this cannot be number 2"), ("a:70000,2,1", "port is 70000")]
)
def test_numbers_that_cannot_be_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        place(text, {})


def test_the_variables_of_torchrun_are_read():
    assert place("", TORCHRUN) == Place("10.0.0.7", 29500, 4, 1)
    several = TORCHRUN | {"LOCAL_WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    assert place("", several).local == 1
    assert place("", TORCHRUN | {"TORCHELASTIC_USE_AGENT_STORE": "True"}).port == 29501


def test_a_value_comes_before_variables():
    assert place("127.0.0.1:9911,2,0", TORCHRUN).count == 2


def test_without_any_jax_looks_for_a_scheduler():
    assert place("", {"SLURM_PROCID": "0"}) is None


def test_a_variable_of_torchrun_that_is_missing_is_named():
    with pytest.raises(InputError, match="there is no MASTER_ADDR and no MASTER_PORT; expected all four"):
        place("", {"RANK": "0", "WORLD_SIZE": "2"})


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}, "4 tasks of SLURM"),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}, "2 tasks of Open MPI"),
        ({"WORLD_SIZE": "8", "RANK": "0"}, "8 tasks of torchrun"),
    ],
)
def test_the_first_of_several_tasks_that_train_alone_says_so(variables, name):
    assert name in alone_among_tasks(variables)
    assert is_first_task(variables)
    later = {key: "1" for key in variables}
    assert not alone_among_tasks(later)
    assert not is_first_task(later)


def test_one_task_says_nothing():
    assert not alone_among_tasks({})
    assert not alone_among_tasks({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"})
    assert not alone_among_tasks({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})  # the script of a job, without srun
