namespace Orders.Infrastructure.Leases;

/// <summary>Who holds a name, and until when; see <see cref="RowLease"/>.</summary>
public sealed class Lease
{
    /// <summary>What is held.</summary>
    public string Name { get; init; } = "";

    /// <summary>Who holds it: a new id for each time that it is taken.</summary>
    public Guid Holder { get; init; }

    /// <summary>From when on anybody may take it.</summary>
    public DateTimeOffset Until { get; init; }
}
