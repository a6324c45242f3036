"""Rows of perf/run that say where the time of a case goes: `stage` is the part of a worker's turn."""

# As a packet meets them (TD_STAGES of include/td_stats.h).
ORDER = ("rx", "parse", "demux", "steer", "open", "forward", "jitter", "decode", "resample", "mix",
         "encode", "send", "seal", "tx", "reports", "commands", "other")
ALL = "all stages"


def split(rows):
    """The rows of whole cases, and those of stages."""
    return ([row for row in rows if not row.get("stage")], [row for row in rows if row.get("stage")])


def cases(rows):
    """(bench, case, unit) -> stage -> row, of rows of stages, in their order."""
    found = {}
    for row in rows:
        case = row["case"].removesuffix(": " + row["stage"])
        found.setdefault((row["bench"], case, row["unit"]), {})[row["stage"]] = row
    return found


def columns(found):
    """The stages that any of these cases has, in a packet's order; what nobody knows comes last."""
    names = {stage for stages in found.values() for stage in stages if stage != ALL}
    return [name for name in ORDER if name in names] + sorted(names - set(ORDER))


def parts(stages):
    """[(stage, value)] of one case, without their sum; none of a run that was no good."""
    return [(name, stages[name]["value"]) for name in columns({None: stages})
            if stages[name]["value"] is not None]


def table(rows, text):
    """Lines of a table: a case each, a column each stage. `text` makes a cell of a value or None."""
    found = cases(rows)
    names = columns(found)
    lines = [["case", "unit", *names, "all", "the whole"]]
    for (_, case, unit), stages in found.items():
        whole = stages.get(ALL, {})
        lines.append([case, unit, *(text(stages.get(name, {}).get("value")) for name in names),
                      text(whole.get("value")), text(whole.get("reference"))])
    return lines
