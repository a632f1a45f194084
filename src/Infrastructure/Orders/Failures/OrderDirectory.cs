using System.Globalization;
using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;

namespace Orders.Infrastructure.Failures;

/// <summary>Orders by the names that people use for them.</summary>
public sealed class OrderDirectory(NpgsqlDataSource database) : ISubjectDirectory
{
    // By the beginning of the address, which an index answers; an index on parts of names would cost every order that
    // is posted. As a range: of "like" the database sees the beginning only while it plans for that very value, and by
    // the plan that it keeps after some calls it read all orders (250,000: 85 ms). As one value: row by row the driver
    // takes longer than the database.
    internal const string CustomersOrders =
        "select coalesce(array_agg(id), '{}') from (select id from orders where lower(customer_email) ~>=~ $1 and lower(customer_email) ~<~ $2 limit $3) found";

    // Behind every other one in the order of the index, which is that of bytes.
    private const string LastCharacter = "\U0010FFFF";

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
        if (owner.Length < 3)
            throw new InvalidFilterException($"customer must have at least 3 characters, got {owner.Length}.");
        await using var command = database.CreateCommand(CustomersOrders);
        var beginning = owner.ToLowerInvariant();
        command.Parameters.Add(new() { Value = beginning });
        command.Parameters.Add(new() { Value = beginning + LastCharacter });
        command.Parameters.Add(new() { Value = limit });
        return (Guid[])(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyDictionary<Guid, string>> ReasonsNotToWorkOnAsync(
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            "select order_id, cancelled_at from order_progress where order_id = any($1) and cancelled_at is not null"
        );
        command.Parameters.Add(new() { Value = subjects.ToArray() });
        var reasons = new Dictionary<Guid, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            reasons[reader.GetGuid(0)] = string.Create(
                CultureInfo.InvariantCulture,
                $"The order was cancelled at {reader.GetFieldValue<DateTimeOffset>(1):yyyy-MM-dd HH:mm:ss}Z."
            );
        return reasons;
    }
}
