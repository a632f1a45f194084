namespace Orders.Producer.Api.Problems;

/// <summary>
/// A kind of refusal. Clients switch on <paramref name="Code"/>, so a code never changes its meaning and is never
/// reused.
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The stable code, the last part of the problem's type.</param>
/// <param name="Title">The same sentence for every problem of the kind.</param>
internal sealed record ProblemKind(int Status, string Code, string Title)
{
    /// <summary>The problem's type, such as <c>urn:problem:orders:invalid-order</c>.</summary>
    public string Type { get; } = "urn:problem:orders:" + Code;
}
