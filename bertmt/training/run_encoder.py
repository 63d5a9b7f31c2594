"""The encoder that a run trains, checked against what it was submitted with."""

from bertmt.encoders.find import changed_parts, encoder_fingerprints, find_encoder
from bertmt.errors import EncoderError
from bertmt.recipe.recipe import Recipe
from bertmt.run_folder.layout import RunOrder

_ANEW = "it comes with bertmt: go back to the version that queued the run, or queue a new run."


def refuse_changed_encoder(order: RunOrder, recipe: Recipe) -> None:
    """Return if the encoder is the one that was seen at submit, or an older bertmt did not look.

    Raises:
        EncoderError: it is another, is missing, or cannot work.
    """
    encoder = find_encoder(recipe.encoder)
    if not order.encoder_fingerprints:
        if recipe.encoder == "tiny" and order.checkpoint_step is not None:
            # Of its layers all but the words have the shapes of old: adapters would go on upon other weights.
            raise EncoderError(f"The checkpoint of this run is of an older bertmt's encoder tiny; {_ANEW}")
        return
    changed = changed_parts(order.encoder_fingerprints, encoder_fingerprints(encoder))
    if changed:
        remedy = f"restore the old files and use `bertmt requeue {order.run_id}`, or queue a new run."
        remedy = _ANEW if recipe.encoder == "tiny" else remedy
        raise EncoderError(
            f"The encoder {recipe.encoder} changed since this run was submitted: its {' and '.join(changed)} "
            f"{'differ' if len(changed) > 1 or changed == ['weights'] else 'differs'} from what lay in "
            f"{encoder.folder} then; {remedy}"
        )
