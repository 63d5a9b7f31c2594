"""What each `--json` document holds. `docs/cli.md` is generated from this, and output checks what it writes by it.

A number in a schema's name rises when a key is removed or changes its meaning; keys may be added without that.
"""

from collections.abc import Mapping
from typing import Any

# One run, wherever a document holds runs.
RUN: dict[str, str] = {
    "id": "the run's id, also the name of its folder",
    "name": "shared by the seeds of one command",
    "preset": "the preset whose toggles its recipe equals, or null",
    "from_preset": "the preset that it was queued from, or null",
    "seed": "of weights, data order and dropout",
    "state": "queued, held, running, paused, finished, failed, cancelled or lost",
    "request": '"cancel" or "pause" where a running run was asked to stop and has not stopped yet',
    "priority": "higher ones are started first",
    "not_before_at": "the earliest time at which it may start, or null",
    "wants": "cpu or gpu, the only devices that may take it, or empty",
    "after": "ids of the runs that must have ended before it starts",
    "after_ok": "ids of the runs that must have finished before it starts",
    "pause_after": "the epoch after which it pauses by itself, as a search wants it; 0: it trains to its end",
    "checkpoint_step": "steps done at its newest checkpoint, or null",
    "attempt": "how often it was started",
    "device": "device",
    "job": "of an attempt that a scheduler runs: launcher, handle (what the scheduler calls it), phase (pending, "
    "running, ended, or empty: it has not answered), reason (in its own words), node, time_limit; else null",
    "phase": "mlm, mnr, cosine_embedding, train or single (each task on its own)",
    "step": "optimizer steps done",
    "steps_total": "optimizer steps in all",
    "epoch": "the epoch that it is in",
    "epochs_total": "epochs in all",
    "progress": "share of the steps done, 0 to 1",
    "seconds_left": "the run's own estimate; null where it does not run, or was asked to stop",
    "steps_per_second": "of a running run, over its newest steps; else null",
    "selected_epoch": "whose scores these are",
    "scores": "dev scores by the first metric of each task: the built-in ones, then the run's other tasks, "
    "overall; null where not trained or undefined",
    "baseline": "the id of the run that it is compared with, or null",
    "difference": "mean over the tasks that both were trained on (a score x from −1 to 1 as S = (1 + x)/2), run minus "
    "baseline",
    "alarms": "what is wrong with a running run: a list of rule (diverges, stalls, behind; settings: bertmt.toml "
    "cannot be read), sentence",
    "gpu_joules": "drawn by its card, all attempts together; null where nobody measured it",
    "cpu_joules": "drawn by the processor and its memory, likewise",
    "kwh": "both together in kilowatt hours, as far as they are known",
    "energy_shared": "whether others computed there meanwhile, whose energy is in it",
    "failure": "the last exception line of a failed run",
    "note": "as given",
    "tags": "as given",
    "data": "where its data lies",
    "submitted_at": "UTC, ISO 8601, like all times here",
    "started_at": "of the last attempt",
    "ended_at": "of the last attempt",
    "last_event_at": "when it last said something",
}

# What stands beside a run in `bertmt show`.
DETAILS: dict[str, str] = {
    "recipe": "every setting by its dotted name, resolved",
    "scale": "encoder, data and budget: the settings that make runs comparable",
    "differs_from_preset": "toggles that differ from the preset it was queued from: setting to [preset, run]",
    "idle": "settings that have no effect: setting to reason",
    "place_in_queue": "1 is next; null unless it is queued",
    "budget": "what it shares with others of its command and how much of that is used, a sentence; or null",
    "epochs": "per evaluated epoch: epoch, step, the built-in tasks by name, similarity (S = (1 + ρ)/2), overall, "
    "seconds, "
    "scores (of the run's tasks, and overall), metrics (task to metric to value)",
    "paper": "what the paper reports of its preset: figure, split, the built-in tasks by name, note; or null",
    "effort": "steps, and examples and passes per task or pretraining phase",
    "timings": "wall seconds per phase",
    "peak_memory_mib": "most memory held",
    "tokens_per_second": "median over the steps",
    "padding_share": "mean over the steps of a run of an older version, which padded its batches; else null",
    "remarks": "what is known of its dev data (what the commonest class scores, examples that also occur elsewhere), "
    "and what the run says of itself",
    "history": "changes of state: at, attempt, before, after, owner, reason",
    "encoder": "name, fingerprints (weights, config.json, vocabulary; empty: not known)",
    "code": "digest at submit, version, commit, changed (whether the installed code differs now)",
    "environment": "Python, platform and packages at submit",
    "folder": "where its files lie",
    "log": "the last 40 lines of the log of a failed or lost run, else empty",
}

# Schema name to its keys; "…" stands for the keys of a run.
DOCUMENTS: dict[str, dict[str, str]] = {
    "bertmt.runs/1": {"runs": "a list of runs"},
    "bertmt.run/1": {"run": "a run", "details": "what else `bertmt show` shows"},
    "bertmt.queued/1": {
        "dry_run": "whether nothing was stored",
        "runs": "a list of id (null in a dry run), name, preset, seed, state, data, recipe",
        "remarks": "sentences: which settings have no effect, what was skipped, which dev examples also occur "
        "elsewhere, how long an epoch is",
        "workers": "how many workers are alive",
        "seconds": "in a dry run how long each run takes, null where there is nothing to judge by; else empty",
        "smallest_effects": "in a dry run what the runs can show: seeds (of each recipe, with those that finished), "
        "comparisons (with the baseline, over which Holm corrects), scores (title to the smallest effect that is found "
        "4 times in 5; only what is known), or_more (what the dev examples add is not known), runs (finished ones that "
        "it is judged by); else null",
    },
    "bertmt.search/1": {
        "name": "of the search",
        "strategy": "halving or random",
        "sampler": "uniform or tpe",
        "seed": "of what was drawn",
        "over": "the space, as it was typed",
        "rungs": "the epochs at which recipes were judged, the last included",
        "runs": "how many recipes are tried at most; null: the budget is to tell",
        "budget_seconds": "of training, or null",
        "seconds": "of training so far, all runs together",
        "held_out": "whether half of dev had no part in any choice",
        "created_at": "when it began",
        "ended_at": "null: it goes on",
        "recipes": "all that it tried, the best first: number, run (id), settings, state (a run's, or pruned or "
        "deleted), rung (how far it was let go), epochs, first_score (at the first rung), score (both on the half that "
        "chooses), held_out_score, seconds",
        "tried": "how many recipes the choice was among: those with a score",
        "pruned": "how many of them were left behind",
        "failed": "how many failed or were lost",
        "winner": "the id of its run; null: there is none yet",
        "score": "of the winner, on the half of dev that chose it",
        "held_out_score": "of the winner, on the other half; null: nothing was held out",
        "held_out_error": "the standard error of that",
        "optimism": "score − held_out_score",
        "easier": "the mean over all tried recipes of what they score more on the half that chooses, before any choice",
        "importance": "setting to recipes (how many it is known from), rank_correlation (of numbers with scores), "
        "share (of the variance of scores between words); of scores at the first rung",
        "said": "sentences",
    },
    "bertmt.searches/1": {
        "searches": "a list of name, strategy, sampler, over, runs, tried, created_at, ended_at",
    },
    "bertmt.presets/1": {
        "presets": "a list of name, summary, figure, settings (what differs from the paper's baseline), paper "
        "(split, the built-in tasks by name, note; or null), own (whether it is yours)"
    },
    "bertmt.preset_saved/1": {
        "name": "of the preset",
        "file": "where it is written",
        "settings": "what differs from the paper's baseline",
    },
    "bertmt.tasks/1": {
        "tasks": "a list of tasks, each as in bertmt.task/1",
        "broken": "names of definitions that cannot be read, to a sentence",
        "hub": "what `bertmt task add` knows by name: a list of name, data_set, hub (owner/name:config), train, dev "
        "(numbers of examples)",
    },
    "bertmt.task/1": {
        "task": "name, title, data_set, inputs (single or pair), classes, range (or null), prediction (logits or "
        "cosine), metrics (the first is its score), file (of the definition; null: built in), source (train, dev, "
        "test, text, pair, label, hub; null: built in)"
    },
    "bertmt.task_added/1": {
        "task": "as in bertmt.task/1",
        "sizes": "split to number of examples",
        "remarks": "sentences: what was guessed, and which rows were skipped",
        "examples": "the first three of the training split: id, first, second, label",
    },
    "bertmt.task_removed/1": {"name": "of the task", "file": "the definition that was deleted"},
    "bertmt.task_audit/1": {
        "task": "its name",
        "splits": "split to size, classes (name to number), commonest (class and its share, or null), quantiles "
        "(least, quartiles, greatest label), unlabelled, "
        "words and tokens (median, high (95 %), most; tokens null: not counted), truncated (share cut at max_length), "
        "repeated (examples that an earlier one equals), in_training (that stand in train; null for train), "
        "touching (of which a sentence at least stands in train; null for train), lengths "
        "(pairs of a number of tokens, or words where tokens are null, and how many sentences have so many)",
        "conflicts": "how many texts of training and dev have several labels",
        "conflicting": "the first of these: first, second, labels",
        "encoder": "whose tokens were counted, or null",
        "max_length": "tokens behind which a sentence is cut",
        "remarks": "sentences: skipped rows, what could not be counted",
    },
    "bertmt.settings/1": {
        "settings": "a list of name, kind, role (toggle, scale, runtime, resilience), default, optional, minimum, "
        "maximum, above (exclusive), choices, help"
    },
    "bertmt.recipe/1": {"recipe": "every setting by its dotted name", "preset": "whose toggles it equals, or null"},
    "bertmt.baseline/1": {
        "chosen": "whether a person chose it",
        "baseline": "that run; null where each run has the first finished `baseline` of its scale, or it was removed",
        "automatic": "those, newest last: a list of runs",
    },
    "bertmt.verification/1": {
        "exact": "whether everything is equal to the byte",
        "steps": "of the whole run",
        "killed_at": "the steps at which it was killed",
        "resumed_at": "where the next attempts went on; null: at the beginning",
        "seconds": "of the straight run, and of the killed one",
        "conditions": "device, precision, threads, torch, activation_checkpointing, deterministic",
        "comparisons": "a list of what, compared (how many), different (names)",
    },
    "bertmt.workers/1": {
        "workers": "a list of key, host, pid, slots, started_at, heartbeat_at, request (drain, stop, "
        "go on or null), guard (why it starts nothing, or null), "
        "runs (ids that it works)",
        "queued": "how many runs wait",
        "held": "whether the queue is held, so that none of them is started",
    },
    "bertmt.curves/1": {
        "x": "what x counts: step, epoch, or time (seconds of training, without pauses and between attempts)",
        "curves": "a list of run (id), name, seed, series, steps, x (the steps' places there; null: of steps, or not "
        "known), values (null: not a number)",
        "groups": "with --group: a list of name, x (steps, or places), mean, low and high over the seeds at each (null "
        "of one seed); else empty",
    },
    "bertmt.find/1": {
        "found": "a list of run (id), name, where (name, id, preset, tag, note, failure, sentence or log), text (the "
        "line, cut where it is long), attempt and line (of a log, else null), task and example (of a sentence: which "
        "of the dev examples, from 0; else null), other_runs (how many more predicted that sentence)",
        "cut": "the kinds of places of which there was more than is listed",
    },
    "bertmt.confusion/1": {
        "run": "the run's id",
        "task": "one of the run's tasks with classes",
        "epoch": "the epoch of the predictions",
        "classes": "names of the classes in order",
        "counts": "rows are true classes, columns predicted ones",
        "baseline": "with --baseline: run, epoch, counts of the run compared with; else null",
    },
    "bertmt.compared/1": {
        "reference": "the arm that the others are compared with: name, runs (ids, seeds), seeds (that are compared), "
        "scores (means over these seeds by task: the built-in ones, then the arm's others, overall; null where not "
        "trained or not comparable)",
        "arms": "the others: the same, reference_scores (means over the seeds of the reference that it is compared "
        "with), and differences: a list of task, difference, low, high (95 %), p, p_corrected (Holm), family (over how "
        "many), level (at which the row was judged), verdict, test, n, detectable, p_williams (Pearson's ρ), remark, "
        "seeds (paired, differences of these, left_out, by seed reference_scores and scores, improvement: probability "
        "that a run of the arm scores higher, low, high; over_examples: variance of the difference by the dev examples "
        "alone, null where only seeds are resampled; enough_seeds: how many of each would decide, null if decided or "
        "none would; null for run against run), wh_per_point (watt hours more than the reference's for each 0.01; null "
        "where it is not better, or the energy of one is not known)",
        "recipe_differences": "setting to its values, the reference first",
        "effort": "arm to steps, and examples and passes per task, of its first run",
        "energy": "arm to kwh (the mean of its runs, null where that of one is not known) and shared (whether others "
        "computed there meanwhile)",
        "warnings": "sentences: what makes the arms hard to compare",
        "noise": "task (and overall) to difference (the root mean square of that of two seeds of one recipe at the "
        "reference's scale), recipes and seeds that it is known from; only tasks of which there are two",
        "lacking": "runs whose seeds would decide what is undecided: a list of like (a run of the recipe), name, seed",
        "lacking_seconds": "how long these take one after another, as finished runs took; null: not known",
        "queued": "with --queue-seeds: ids of the new runs; else empty",
    },
    "bertmt.flips/1": {
        "task": "of which these are the dev examples",
        "classes": "names of the classes in order; empty where labels are numbers",
        "a": "the run that is compared with: run (id), name, seed, epoch",
        "b": "the one that is judged: the same",
        "counts": "how many examples are fixed, broken, and wrong in both (wrong); of numbers closer and farther; with "
        "--cell, of those that either run puts into it",
        "difference": "that of accuracies, of numbers that of the task's score: score_a, score_b, difference, low, "
        "high (95 %), p (uncorrected), test, n; compare judges it",
        "cell": "with --cell: its true and predicted class; else null",
        "cells": "a list of true, predicted (classes), before and after (mistakes of a and b), fixed, broken, left and "
        "entered (wrong in both, for another class); the most moved first, empty where labels are numbers",
        "examples": "a list of kind, id, first, second (null where no pair), label, a and b (predicted, confidence; "
        "null of a number), at most --limit of each kind that --show names",
    },
    "bertmt.slices/1": {
        "task": "of which these are the dev examples",
        "a": "run (id), name, seed, epoch: the run, or the one that is compared with",
        "b": "the one that is judged: the same; null of one run alone",
        "slices": "a list of name, n, metric (of the score; mean distance: of labels from the best line in the "
        "predictions, less is better), commonest (share of the commonest class; null of numbers); of one run "
        "score, low and high (95 %), low_together and high_together (all slices at once); of two score_a, score_b, "
        "difference (positive: b is better), low, high, p, p_corrected (Holm), family, level, test, verdict; all null "
        "where there are too few examples, and p_corrected to verdict of the slice of all, which compare judges",
        "remarks": "sentences: what could not be sliced",
    },
    "bertmt.effects/1": {
        "runs": "how many finished runs were looked at",
        "toggles": "a list of toggle, before, after (its values in a pair), recipes (how many it was switched in), "
        "pairs (a list of a, b, seed), and effects: a list of task (or overall), difference (the mean over pairs), "
        "low, high (95 %; null of one pair), p, p_corrected (Holm), family, level, test, pairs, detectable, remark, "
        "differences (of each pair), verdict",
        "left_out": "how many changes of fewer pairs are not in this list",
        "lacking": "runs that would complete pairs: a list of like (the id of a run of that recipe), name, seed, "
        "pairs_with (the id of the run that is there)",
        "queued": "with --queue: ids of the runs that were queued",
    },
    "bertmt.paper/1": {
        "figures": "a list of number, caption, shows (scores, ranks, matrix, rates or scatter), says (what the paper's "
        "text reads off a picture, or null), cells (a list of model (a preset), what (a task, or a rate), reported, "
        "reported_split, reported_n (of how many examples; null: not said), seeds, n (of how many dev examples), mean, "
        "low and high (between which 95 % of single runs lie), mean_low and mean_high (95 % of the mean; null of one "
        "seed), standing (inside, outside, other scale, other split, no interval yet, not reported, no run yet), "
        "other_scale (what is not the paper's: name to ours and the paper's)), picture (the id of the run that ours is "
        "of, or null)",
        "claims": "a list of id, sentence, section, says (higher, lower, not higher), tasks, verdict (confirmed, "
        "contradicted, undecided, these models only, no pair yet), seeds (paired), seeds_needed (that can decide it), "
        "confounded (what else differs in the paper's pair, or null), other_scale (as above), own and paper (our "
        "one-toggle pairs, and the paper's: a list of control, changed, reported_differences (by task), runs (ids of "
        "both arms), differences: as in bertmt.compared/1, with seeds and differences (of each))",
    },
    "bertmt.paper_queued/1": {
        "dry_run": "whether nothing was stored",
        "recipes": "how many are wanted",
        "seeds": "that each of them should have",
        "finished": "how many of these runs have finished",
        "coming": "how many wait or run",
        "missing": "how many were queued, or would be",
        "seconds": "of all of them one after another; null: not known",
        "left_out": "recipes that need extra pairs, where none are named",
        "runs": "a list of id (null in a dry run), name, preset, seed",
    },
    "bertmt.predictions/1": {
        "run": "the run's id",
        "predictions": "a list of task, label, probabilities (of more than two classes each one's; of two that of the "
        "second; of a number the cosine, the head's output from 0 to 1, or the mean of both)",
    },
    "bertmt.tried/1": {
        "answers": "a list of run, task, label (a class, or a number on the scale of the labels), class (its name; "
        "null of a number), probabilities (of each class; none of a number), and words: a list of text, change (of the "
        "probability of the chosen class, or of the number, where that word is left out), label (the class that is "
        "then chosen, null where it stays)",
        "refused": "run id to a sentence: why it cannot be asked",
    },
    "bertmt.backup/1": {
        "file": "the copy of the registry",
        "size_bytes": "of the copy",
        "runs": "how many runs it holds",
        "folders": "how many run folders lie beside the registry and are not in the copy",
        "folders_bytes": "what these take",
    },
    "bertmt.imported/1": {
        "imported": "a list of runs",
        "refused": "a list of folder, reason (a sentence)",
    },
    "bertmt.averaged/1": {"averaged": "the run that was made, see above; its recipe has `members`"},
    "bertmt.garbage/1": {
        "dry_run": "whether nothing was deleted",
        "items": "a list of kind, path, size_bytes, run (id or null), freed (whether it was deleted)",
        "freed_bytes": "what was freed in all",
        "registry_bytes": "how much smaller the registry is",
    },
    "bertmt.repaired/1": {
        "problems": "what was wrong; empty: nothing was changed",
        "kept": "where the damaged registry is now, or null",
        "backup": "the backup that it went back to, or null",
        "passed_over": "newer backups that are damaged too: file, reason",
        "runs": 'a list of id, name, state, source ("backup", "backup and folder", "folder" or "damaged file")',
        "refused": "run folders that could not be imported: folder, reason (a sentence)",
        "held": "ids of runs of which it is not sure that they were to start",
        "lost": "ids of runs that are in neither a backup nor a folder",
        "lost_changes": "by what was changed since the backup (note, tags, removal, …) a list of id and name",
        "is_all_told": "whether the damaged file could be read to its end; if not, more may be lost",
    },
    "bertmt.doctor/1": {"checks": "a list of name, state (ok, warning, problem), found, advice"},
}


def check_document(schema: str, content: Mapping[str, Any]) -> None:
    """Refuse to write what is not documented.

    Raises:
        ValueError: the keys are not those of the schema.
    """
    if set(DOCUMENTS[schema]) != set(content):
        raise ValueError(f"{schema} holds {sorted(DOCUMENTS[schema])}, not {sorted(content)}")
