"""TensorBoard's records, by tensorboardX (`pip install "bertmt[tensorboard]"`): scalars, pictures, texts, recipes."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertmt.errors import BertmtError
from bertmt.services.analysis.results_folder.private_files import new_file

HPARAMS = "_hparams_"


class EventRecords:
    """Appends to a file of events that nobody reads yet.

    Raises:
        BertmtError: tensorboardX is missing.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path):
        with _without_torch():
            try:
                from tensorboardX import record_writer  # noqa: PLC0415 - of an extra
                from tensorboardX.proto import (  # noqa: PLC0415
                    api_pb2,
                    event_pb2,
                    plugin_hparams_pb2,
                    plugin_text_pb2,
                    summary_pb2,
                    tensor_pb2,
                )
            except ImportError:
                raise BertmtError(
                    'TensorBoard needs tensorboardX: `pip install "bertmt[tensorboard]"`, or use --to csv.'
                ) from None
        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        self._about, self._tensor = summary_pb2.SummaryMetadata, tensor_pb2.TensorProto
        self._text, self._hparams, self._api = plugin_text_pb2.TextPluginData, plugin_hparams_pb2, api_pb2
        new_file(path).close()  # the library opens it with the rights of others
        self._file = record_writer.RecordWriter(str(path))

    def __enter__(self) -> "EventRecords":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def begin(self, at: float) -> None:
        """The first record: with it readers do not take steps that go back for a restart."""
        self._file.write(self._event(wall_time=at, file_version="brain.Event:2").SerializeToString())

    def scalars(self, step: int, at: float, values: Iterable[tuple[str, float]]) -> None:
        """Values of one step, by tag."""
        self._put([self._summary.Value(tag=tag, simple_value=value) for tag, value in values], step, at)

    def picture(self, tag: str, step: int, at: float, encoded: bytes, size: tuple[int, int]) -> None:
        """A PNG; its size is height and width in pixels."""
        image = self._summary.Image(height=size[0], width=size[1], colorspace=3, encoded_image_string=encoded)
        self._put([self._summary.Value(tag=tag, image=image)], step, at)

    def text(self, tag: str, step: int, at: float, markdown: str) -> None:
        """A text in Markdown."""
        tensor = self._tensor(dtype="DT_STRING", string_val=[markdown.encode("utf-8", "replace")])
        about = self._metadata("text", self._text(version=0))
        self._put([self._summary.Value(tag=tag, metadata=about, tensor=tensor)], step, at)

    def session(self, recipe: Mapping[str, Any], name: str, started: float, ended: float | None, failed: bool) -> None:
        """A run as the plug-in for hyper-parameters has it; `ended` is None while it has not."""
        began = self._hparams.SessionStartInfo(group_name=name, start_time_secs=started)
        for key, value in recipe.items():
            kind = "bool_value" if isinstance(value, bool) else "number_value"
            setattr(began.hparams[key], "string_value" if isinstance(value, str) else kind, value)
        self._plugin("session_start_info", started, session_start_info=began)
        if ended is not None:
            status = self._api.Status.Value("STATUS_FAILURE" if failed else "STATUS_SUCCESS")
            info = self._hparams.SessionEndInfo(status=status, end_time_secs=ended)
            self._plugin("session_end_info", ended, session_end_info=info)

    def _plugin(self, tag: str, at: float, **content: Any) -> None:
        about = self._metadata("hparams", self._hparams.HParamsPluginData(version=0, **content))
        self._put([self._summary.Value(tag=f"{HPARAMS}/{tag}", metadata=about)], 0, at)

    def _metadata(self, plugin: str, content: Any) -> Any:
        return self._about(plugin_data=self._about.PluginData(plugin_name=plugin, content=content.SerializeToString()))

    def _put(self, values: list[Any], step: int, at: float) -> None:
        event = self._event(step=step, wall_time=at, summary=self._summary(value=values))
        self._file.write(event.SerializeToString())


@contextmanager
def _without_torch() -> Iterator[None]:
    """tensorboardX imports torch where it finds it, three seconds for drawing graphs; here it finds none."""
    is_hidden = "torch" not in sys.modules
    if is_hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules["torch"]
