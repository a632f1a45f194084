using System.Data;
using System.Globalization;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Messaging;

namespace Orders.Infrastructure.Failures;

/// <summary>Orders by the names that people use for them.</summary>
public sealed class OrderDirectory(NpgsqlDataSource database, IMessageContracts contracts) : ISubjectDirectory
{
    // By the whole address, which an index answers. A part of it would tell a viewer, letter by letter, what is masked.
    // As one value: row by row the driver takes longer than the database.
    internal const string CustomersOrders =
        "select coalesce(array_agg(id), '{}') from (select id from orders where lower(customer_email) = $1 limit $2) found";

    /// <inheritdoc />
    public async Task<Guid?> FindAsync(string numberOrId, CancellationToken cancellationToken)
    {
        if (Guid.TryParse(numberOrId, out var id))
            return id;
        if (
            !long.TryParse(
                numberOrId.AsSpan(numberOrId.StartsWith("O-", StringComparison.OrdinalIgnoreCase) ? 2 : 0),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var number
            )
        )
            throw new InvalidFilterException("order must be an order's number, such as O-00000423, or its id.");
        await using var command = database.CreateCommand("select id from orders where number = $1");
        command.Parameters.Add(new() { Value = number });
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<Guid>> OfOwnerAsync(string owner, int limit, CancellationToken cancellationToken)
    {
        if (owner.IndexOf('@', StringComparison.Ordinal) is var at && (at < 1 || at == owner.Length - 1))
            throw new InvalidFilterException(
                "customer must be a whole mail address, such as zoe@example.com; a part of one is not searched for, because addresses are personal data."
            );
        await using var command = database.CreateCommand(CustomersOrders);
        command.Parameters.Add(new() { Value = owner.ToLowerInvariant() });
        command.Parameters.Add(new() { Value = limit });
        return (Guid[])(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <inheritdoc />
    public IReadOnlyCollection<string> TypesShowing(IReadOnlyList<string> path) =>
        [.. contracts.Names.Where(name => contracts.Find(name) is { } type && PersonalMembers.IsShown(type, path))];

    /// <inheritdoc />
    public async Task<IReadOnlyDictionary<Guid, string>> ReasonsNotToWorkOnAsync(
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            "select p.order_id, p.cancelled_at, o.erased_at from order_progress p join orders o on o.id = p.order_id where p.order_id = any($1) and (p.cancelled_at is not null or o.erased_at is not null)"
        );
        command.Parameters.Add(new() { Value = subjects.ToArray() });
        var reasons = new Dictionary<Guid, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            reasons[reader.GetGuid("order_id")] = reader.Optional<DateTimeOffset>("erased_at") is { } erasedAt
                ? Sentence("The customer's data were erased", erasedAt)
                : Sentence("The order was cancelled", reader.GetFieldValue<DateTimeOffset>("cancelled_at"));
        return reasons;
    }

    private static string Sentence(string what, DateTimeOffset at) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} at {at:yyyy-MM-dd HH:mm:ss}Z.");
}
