"""The notebooks, run from top to bottom; their exercises, with right and with wrong answers."""

import re
from pathlib import Path
from typing import NamedTuple

import nbclient
import nbformat
import pytest

import nnlearn

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"


class Exercise(NamedTuple):
    """Code of answers in place of the reader's cell; beside a wrong one what the reader is told."""

    right: str
    wrong: dict[str, str]


def function(head: str, value: str) -> str:
    """A function to be written, and what it returns."""
    return f"def {head}:\n    return {value}"


#: By notebook and exercise; the cells' ids are answer-... and check-...
EXERCISES = {
    "0_in_five_minutes": {
        "parameters": Exercise(
            "parameters = 79_510",
            {
                "parameters = 79_400": "each unit has a bias",
                "parameters = 80_294": "inputs have no biases",
                "parameters = 894": "these are the units",
                "parameters = 784_000": "add, not multiply",
                "parameters = 5": "count 784 · 100 weights",
                "parameters = 'many'": "count 784 · 100 weights",
            },
        ),
        "better": Exercise(
            "better = nn.Network([784, 100, 10], seed=0)\n"
            "better.fit(digits.train, epochs=15, learning_rate=0.5, l2=0.5, verbose=0);",
            {
                "better = nn.Network([784, 100, 10], seed=0)": "has not been trained yet",
                "better = nn.Network([784, 5, 10], seed=0)\n"
                "better.fit(digits.train, epochs=1, learning_rate=0.5, verbose=0);": (
                    "of the validation images, net"
                ),
                "better = nn.Network([784, 50, 10], seed=0)\n"
                "better.fit(digits.validation, epochs=60, learning_rate=0.5, verbose=0);": (
                    "trained on the validation images?"
                ),
                "better = history": "the network itself, not what fit returns",
                "better = nn.Network([3, 1])": "784 inputs and 10 outputs",
            },
        ),
    },
    "1_cost_functions": {
        "delta": Exercise(
            "delta = 0.0430",
            {
                "delta = 0.9526": "the δ of the cross-entropy",
                "delta = 0.0452": "the error a - y is a factor too",
                "delta = -0.0430": "the sign",
                "delta = 3": "δ = (a - y) a (1 - a)",
                "delta = '0.0430'": "answer with a number",
            },
        ),
        "rate": Exercise(
            "rate = 7.2",
            {
                "rate = 1.2": "takes smaller steps",
                "rate = 0.2": "the other way round",
                "rate = 4.8": "what counts is its average",
                "rate = 3.0": "on average a sixth",
                "rate = '7.2'": "answer with a number",
            },
        ),
        "error": Exercise(
            function("output_delta(a, y)", "a - y"),
            {
                function("output_delta(a, y)", "y - a"): "the sign",
                function("output_delta(a, y)", "(a - y) * a * (1 - a)"): "the quadratic cost's",
                function("output_delta(a, y)", "(a - y) / (a * (1 - a))"): "this is ∂C/∂a",
                function("output_delta(a, y)", "(a - y).sum()"): "no sum over the outputs",
                function("output_delta(a, y)", "a"): "multiply ∂C/∂a",
            },
        ),
    },
    "2_softmax": {
        "push": Exercise(
            "push = (0.7, -0.8, 0.1)",
            {
                "push = (0.7, 0.2, 0.1)": "the right class has y = 1",
                "push = (0, -0.8, 0)": "the wrong classes get a δ as well",
                "push = (-0.7, 0.8, -0.1)": "the sign",
                "push = (-0.3, 0.2, 0.1)": "the right class is the second",
                "push = (0.1, 0.1, 0.1)": "δ_j = a_j - y_j",
                "push = -0.8": "three numbers",
                "push = (0.7, ..., 0.1)": "replace all three dots",
            },
        ),
        "stable": Exercise(
            function("softmax(z)", "np.exp(z - z.max()) / np.exp(z - z.max()).sum()"),
            {
                function("softmax(z)", "np.exp(z) / np.exp(z).sum()"): "e^1000 overflows",
                function("softmax(z)", "1 / (1 + np.exp(-z))"): "yours sum to",
                function("softmax(z)", "z / z.sum()"): "take the exponential",
                function("softmax(z)", "2.0**z / (2.0**z).sum()"): "are not e^z divided by",
                function("softmax(z)", "z.sum()"): "as many outputs as there are z",
                function("softmax(z)", "(e := np.exp(np.minimum(z, 700))) / e.sum()"): (
                    "1000 more must change nothing"
                ),
            },
        ),
    },
    "3_initialisation": {
        "variance": Exercise(
            "variance = 201",
            {
                "variance = 200": "the bias is drawn at random too",
                "variance = 1001": "where the input is 0",
                "variance = 501": "500 inputs",
                "variance = 14.18": "the standard deviation",
                "variance = 7": "add up the variances",
                "variance = '201'": "answer with a number",
            },
        ),
        "deviation": Exercise(
            "deviation = 0.05",
            {
                "deviation = 0.0025": "the variance of a weight",
                "deviation = 20": "the other way round",
                "deviation = 1": "has the variance",
                "deviation = -0.05": "above 0",
                "deviation = '0.05'": "answer with a number",
            },
        ),
    },
    "4_overfitting": {
        "patience": Exercise(
            "patience = (9, 6)",
            {
                "patience = (6, 9)": "the other way round",
                "patience = (12, 12)": "training has ended before it",
                "patience = (11, 8)": "equal is not better",
                "patience = (6, 3)": "patience starts anew there",
                "patience = (9, 9)": "not the parameters of the last epoch",
                "patience = (8, 6)": "count three without a better one",
                "patience = 9": "give two numbers",
                "patience = (9, ...)": "replace both dots",
            },
        ),
        "remains": Exercise(
            "remains = 0.779",
            {
                "remains = 0.99995": "this is after one step",
                "remains = 0.0821": "not one image",
                "remains = 0.75": "a share of what is left",
                "remains = 1.284": "makes weights smaller",
                "remains = 0.5": "by 1 - ηλ/n",
                "remains = '0.779'": "answer with a number",
            },
        ),
        "cured": Exercise(
            "cured = nn.Network([784, 30, 10], seed=0)\n"
            "cured.fit(few.train, epochs=20, learning_rate=0.5, l2=0.5, verbose=0);",
            {
                "cured = history": "the network itself, not what fit returns",
                "cured = nn.Network([784, 1])": "784 inputs and 10 outputs",
                "cured = nn.Network([784, 30, 10], seed=0)": "has not been trained yet",
                "cured = nn.Network([784, 50, 10], seed=0)\n"
                "cured.fit(few.validation, epochs=60, learning_rate=0.5, verbose=0);": (
                    "on which ones has it been trained?"
                ),
                "cured = net": "of the validation images are wrong, with net",
            },
        ),
    },
    "5_hyper_parameters": {
        "rescaled": Exercise(
            "rescaled = 5.0",
            {
                "rescaled = 0.1": "n is not the same",
                "rescaled = 0.002": "the other way round",
                "rescaled = 50": "λ/n must be the same",
                "rescaled = '5'": "answer with a number",
            },
        ),
        "suggested": Exercise(
            "suggested = 0.1",
            {
                "suggested = 0.2": "this is the threshold",
                "suggested = 0.25": "with 0.5 the loss does not fall",
                "suggested = 1": "rises at once",
                "suggested = 0.005": "a larger rate works too",
                "suggested = 0.05": "half of the largest rate",
                "suggested = '0.1'": "answer with a number",
            },
        ),
        "schedule": Exercise(
            function("schedule(epoch)", "0.5 ** ((epoch - 1) // 10)"),
            {
                function("schedule(epoch)", "0"): "give a number above 0",
                function("schedule(epoch)", "0.5"): "has the whole rate, the factor 1, not 0.5",
                function("schedule(epoch)", "1"): "epoch 11 still has the whole rate",
                function("schedule(epoch)", "0.5 ** (epoch // 10)"): "it drops before epoch 11",
                function("schedule(epoch)", "1 if epoch <= 10 else 0.5"): "it drops once",
                function("schedule(epoch)", "0.9 ** ((epoch - 1) // 10)"): "have 0.9, 0.81 and",
            },
        ),
    },
}

#: Time that cells are given to try settings in; less of it will do to see that they run.
SHORTER = {"seconds=7,": "seconds=2,", "seconds=20)": "seconds=6)"}

#: What each notebook shows to play with.
WIDGETS = {
    "0_in_five_minutes": {"live"},
    "1_cost_functions": {"toy", "live"},
    "2_softmax": {"explorer"},
    "3_initialisation": {"explorer"},
    "4_overfitting": {"live"},
    "5_hyper_parameters": {"momentum"},
}


class Ran:
    """A notebook that has run, and its kernel."""

    def __init__(self, path: Path, client: nbclient.NotebookClient) -> None:
        self.name = path.stem
        self.cells = {cell["id"]: cell for cell in client.nb.cells}
        self._client = client

    def run(self, code: str) -> list[nbformat.NotebookNode]:
        """The outputs of a further cell."""
        cell = nbformat.v4.new_code_cell(code)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return cell["outputs"]

    def judge(self, exercise: str, answer: str) -> str:
        """What the check of an exercise says to an answer."""
        self.run(answer)
        [output] = self.run(self.cells[f"check-{exercise}"]["source"])
        if output["output_type"] == "error":
            assert output["traceback"] == [f"Not yet: {output['evalue']}"]  # no line of the check
            return f"{output['ename']}: {output['evalue']}"
        return output["data"]["text/plain"]


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def ran(request, tmp_path_factory):
    """Each notebook, run with the digits inside the package, in a folder of its own."""
    path, folder = request.param, tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NNLEARN_DATA_DIR", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder))  # no download of the whole of MNIST in there
        patch.setenv("MPLCONFIGDIR", str(folder))
        patch.setenv("PYTHONPATH", str(Path(nnlearn.__file__).parents[1]))
        notebook = nbformat.read(path, as_version=4)
        client = nbclient.NotebookClient(
            notebook,
            timeout=120,
            kernel_name=notebook.metadata["kernelspec"]["name"],
            resources={"metadata": {"path": str(folder)}},
        )
        with client.setup_kernel():
            for index, cell in enumerate(list(notebook.cells)):
                for long, short in SHORTER.items():
                    cell["source"] = cell["source"].replace(long, short)
                client.execute_cell(cell, index)
            client.allow_errors = True
            yield Ran(path, client)


def test_it_runs_from_top_to_bottom(ran):
    outputs = [o for cell in ran.cells.values() for o in cell.get("outputs", [])]
    kinds = {output["output_type"] for output in outputs}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert {output["name"] for output in outputs if "name" in output} <= {"stdout"}


def test_pictures_and_widgets_are_in_it(ran):
    mimes = {
        name: {mime for output in cell.get("outputs", []) for mime in output.get("data", {})}
        for name, cell in ran.cells.items()
    }
    assert {name for name, found in mimes.items() if WIDGET in found} == WIDGETS[ran.name]
    assert sum("image/png" in found for found in mimes.values()) >= 2


def test_an_exercise_not_answered_yet_is_passed_over(ran):
    for exercise in EXERCISES[ran.name]:
        [output] = ran.cells[f"check-{exercise}"]["outputs"]
        assert "not answered yet" in output["data"]["text/plain"]


def test_right_answers_pass(ran):
    for exercise, answers in EXERCISES[ran.name].items():
        assert ran.judge(exercise, answers.right).startswith("Right: "), exercise


def test_wrong_answers_are_told_what_is_wrong_with_them(ran):
    for exercise, answers in EXERCISES[ran.name].items():
        for answer, sentence in answers.wrong.items():
            said = ran.judge(exercise, answer)
            assert said.startswith("AssertionError: "), answer
            assert sentence in said, answer


# ---- the files ----------------------------------------------------------------------------------

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_what_is_shortened_is_in_one_cell_each():
    sources = [cell["source"] for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells]
    assert [sum(long in source for source in sources) for long in SHORTER] == [1, 1]


def test_every_notebook_is_in_the_tables():
    names = {path.stem for path in NOTEBOOKS}
    assert names == EXERCISES.keys() == WIDGETS.keys()


@each_notebook
def test_every_exercise_is_in_the_table_with_all_its_sentences(path):
    cells = {cell["id"]: cell["source"] for cell in nbformat.read(path, as_version=4).cells}
    answers = {name.removeprefix("answer-") for name in cells if name.startswith("answer-")}
    checks = {name.removeprefix("check-") for name in cells if name.startswith("check-")}
    asserting = {name.removeprefix("check-") for name in cells if "    assert " in cells[name]}
    assert answers == checks == asserting == EXERCISES[path.stem].keys()
    for exercise in checks:
        sentences = cells[f"check-{exercise}"].count("    assert ")
        assert len(EXERCISES[path.stem][exercise].wrong) >= sentences, exercise


@each_notebook
def test_nothing_that_ran_is_kept(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)  # cells have ids
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook.metadata
    code = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}


@each_notebook
def test_it_begins_with_a_title_and_a_goal_and_ends_with_a_conclusion(path):
    first, *_, last = nbformat.read(path, as_version=4).cells
    assert re.match(rf"# {path.stem[0]} · .+\n\n\*\*Goal\.\*\* ", first["source"])
    assert last["source"].startswith("## Conclusion\n")


@each_notebook
def test_links_lead_somewhere(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (path.parent / target).is_file(), target
