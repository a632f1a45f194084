namespace Orders.Producer.Api.Validation;

/// <summary>Where a value stands in a body. Becomes a text only when something is wrong there.</summary>
/// <param name="Parent">The pointer of the object or array around it.</param>
/// <param name="Index">Its place in the array; negative when the parent is an object.</param>
/// <param name="Member">Its name in the object; null for the array's element itself.</param>
internal readonly record struct Pointer(string Parent, int Index = -1, string? Member = null)
{
    /// <summary>The whole body.</summary>
    public static readonly Pointer Root = new("");

    /// <summary>A member of the object that stands here.</summary>
    public Pointer To(string member) =>
        Member is null ? this with { Member = member } : new Pointer(ToString(), -1, member);

    /// <summary>An element of the array that stands here.</summary>
    public Pointer At(int index) => new(Member is null ? Parent : $"{Parent}/{Member}", index);

    /// <inheritdoc />
    public override string ToString() =>
        (Index < 0 ? Parent : FormattableString.Invariant($"{Parent}/{Index}")) + (Member is null ? "" : "/" + Member);
}
