namespace Orders.Chaos.Checking;

/// <summary>What a broken invariant means.</summary>
public enum Meaning
{
    /// <summary>Something that was accepted is gone.</summary>
    Lost,

    /// <summary>Something happened twice.</summary>
    Duplicate,

    /// <summary>Something waits that nothing will move any more.</summary>
    Stuck,

    /// <summary>The books contradict each other.</summary>
    Wrong,
}

/// <summary>A sentence that must be true of an installation at rest, whatever was done to it.</summary>
/// <param name="Name">A name to quote.</param>
/// <param name="Means">What it means when the sentence is not true.</param>
/// <param name="Counted">How many things it was checked on: a sentence about nothing proves nothing.</param>
/// <param name="Violations">Names every violation, the order first.</param>
public sealed record Invariant(
    string Name,
    Meaning Means,
    Func<EvidenceIndex, int> Counted,
    Func<EvidenceIndex, IEnumerable<string>> Violations
);

/// <summary>What became of an invariant.</summary>
/// <param name="Invariant">The invariant.</param>
/// <param name="Checked">How many things it was checked on.</param>
/// <param name="Violations">Each violation in words; empty when it holds.</param>
public sealed record Verdict(Invariant Invariant, int Checked, IReadOnlyList<string> Violations)
{
    /// <summary>Whether it holds.</summary>
    public bool Holds => Violations.Count == 0;
}
