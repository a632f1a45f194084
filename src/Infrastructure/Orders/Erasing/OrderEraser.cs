using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Erasing;

namespace Orders.Infrastructure.Erasing;

/// <summary>
/// Erases the orders of a customer, who is known by the mail address. An order on which work is still to come is an
/// obstacle: its mails and its parcel need the address, and cancelling it is a decision about the customer's goods,
/// which nobody should make by asking for an erasure.
/// </summary>
public sealed class OrderEraser : ISubjectEraser
{
    private const int MostNamed = 5;
    private const int Patience = 300;

    /// <summary>What the operators' process needs.</summary>
    internal static IReadOnlyList<string> Grants { get; } =
    ["execute on function erase_orders(uuid[]), erase_posted_keys(uuid[])"];

    /// <inheritdoc />
    public IReadOnlyList<string> Columns => OrderErasureSql.Columns;

    /// <inheritdoc />
    public string Normalise(string person) => person.Trim().ToLowerInvariant();

    /// <inheritdoc />
    public async Task<PersonalSubjects> FindAsync(
        NpgsqlConnection connection,
        string person,
        DateTimeOffset? before,
        CancellationToken cancellationToken
    )
    {
        var (orders, underWay, invoices) = (new List<Guid>(), new List<long>(), 0L);
        await using (var command = Command(connection, OrderErasureSql.OfCustomer))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = person });
            command.Parameters.Add(
                new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
            );
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                orders.Add(reader.GetGuid("id"));
                if (reader.GetBoolean("under_way"))
                    underWay.Add(reader.GetInt64("number"));
                if (reader.GetBoolean("invoiced"))
                    invoices++;
            }
        }

        var (deliveries, undelivered) = await DeliveriesAsync(connection, orders, cancellationToken);
        return new PersonalSubjects(
            [.. orders, .. deliveries],
            new Dictionary<string, long>
            {
                ["orders"] = orders.Count,
                ["invoices"] = invoices,
                ["webhookEvents"] = deliveries.Count,
            },
            orders.Count,
            [
                .. underWay.Count == 0 ? (string[])[] : [ObstacleOf(underWay)],
                .. undelivered == 0 ? (string[])[] : [UndeliveredOf(undelivered)],
            ]
        );
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<string> PersonsAsync(
        NpgsqlConnection connection,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            "select distinct lower(customer_email) as person from orders where erased_at is null"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            yield return reader.GetString("person");
    }

    /// <inheritdoc />
    public Task PrepareAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    ) => CallAsync(connection, "select erase_posted_keys($1)", subjects, cancellationToken);

    /// <inheritdoc />
    public Task EraseAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    ) => CallAsync(connection, "select erase_orders($1)", subjects, cancellationToken);

    private static string ObstacleOf(List<long> numbers) =>
        $"{numbers.Count} {(numbers.Count == 1 ? "order is" : "orders are")} under way ({string.Join(", ", numbers.Take(MostNamed).Select(OrderNumber.Format))}{(numbers.Count > MostNamed ? ", …" : "")}): wait for the end, cancel what shall not be done, and redrive or archive what failed.";

    private static string UndeliveredOf(int events) =>
        events == 1
            ? "1 web-hook event is not delivered yet: wait, redrive or archive it."
            : $"{events} web-hook events are not delivered yet: wait, redrive or archive them.";

    private static async Task<(List<Guid> All, int Undelivered)> DeliveriesAsync(
        NpgsqlConnection connection,
        List<Guid> orders,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(connection, OrderErasureSql.Deliveries);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. orders] });
        var (deliveries, undelivered) = (new List<Guid>(), 0);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            deliveries.Add(reader.GetGuid("id"));
            if (reader.GetBoolean("undelivered"))
                undelivered++;
        }

        return (deliveries, undelivered);
    }

    private static async Task CallAsync(
        NpgsqlConnection connection,
        string sql,
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(connection, sql);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. subjects] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql) =>
        new(sql, connection) { CommandTimeout = Patience };
}
