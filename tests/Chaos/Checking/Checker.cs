namespace Orders.Chaos.Checking;

/// <summary>
/// Evidence in, verdicts out, and nothing else: no clock, no connection. It says of each promise on how many things it
/// was checked and what breaks it.
/// </summary>
public static class Checker
{
    /// <summary>All invariants, in the order in which they are reported.</summary>
    public static IReadOnlyList<Invariant> Invariants { get; } =
    [
        .. AcceptanceInvariants.All,
        .. EffectInvariants.All,
        .. ConsistencyInvariants.All,
        .. RestInvariants.All,
        .. OperatorInvariants.All,
    ];

    /// <summary>Checks everything.</summary>
    public static Findings Check(Evidence evidence)
    {
        var books = new EvidenceIndex(evidence);
        return new Findings([.. Invariants.Select(i => new Verdict(i, i.Counted(books), [.. i.Violations(books)]))]);
    }
}

/// <summary>What the checker found.</summary>
/// <param name="Verdicts">One per invariant.</param>
public sealed record Findings(IReadOnlyList<Verdict> Verdicts)
{
    /// <summary>Whether every invariant holds.</summary>
    public bool Hold => Verdicts.All(v => v.Holds);

    /// <summary>The names of the broken ones.</summary>
    public IEnumerable<string> Broken => Verdicts.Where(v => !v.Holds).Select(v => v.Invariant.Name);

    /// <summary>How many violations mean this.</summary>
    public int Count(Meaning meaning) => Verdicts.Where(v => v.Invariant.Means == meaning).Sum(v => v.Violations.Count);

    /// <summary>
    /// With what was found earlier: an invariant has to hold each time, and was checked on as many things as there were
    /// at most.
    /// </summary>
    public Findings And(Findings earlier) =>
        new([
            .. Verdicts.Zip(
                earlier.Verdicts,
                (now, then) =>
                    new Verdict(
                        now.Invariant,
                        Math.Max(now.Checked, then.Checked),
                        [.. then.Violations.Select(v => $"before the last redrive: {v}"), .. now.Violations]
                    )
            ),
        ]);

    /// <summary>
    /// The figures in one line: <c>lost 0, duplicates 0, stuck 0</c>; contradictions are added when there are any.
    /// </summary>
    public override string ToString() =>
        $"lost {Count(Meaning.Lost)}, duplicates {Count(Meaning.Duplicate)}, stuck {Count(Meaning.Stuck)}{(Count(Meaning.Wrong) is > 0 and var wrong ? $", wrong {wrong}" : "")}";
}
