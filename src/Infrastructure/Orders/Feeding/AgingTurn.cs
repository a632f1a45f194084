using Npgsql;
using NpgsqlTypes;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Whose turn it is to look for overtaken orders: one process of all in each second, however many there are. The row
/// <c>aging_checkpoints</c> says until when was looked; it moves forward in the transaction that looks, so a process
/// that dies on the way has moved nothing.
/// </summary>
/// <param name="From">Until when the last one looked.</param>
/// <param name="BusyAt">When an order was last found unfinished at the first of the ages.</param>
/// <param name="IsAfterGap">Whether nobody looked for so long that orders have passed an age unseen.</param>
internal sealed record AgingTurn(DateTimeOffset From, DateTimeOffset BusyAt, bool IsAfterGap)
{
    // A clock that runs ahead of this one by more than that was wrong.
    private const string Take = """
        update aging_checkpoints set looked_until = $1 from (
            select looked_until as last, busy_at as busy from aging_checkpoints
            where looked_until < $1 - interval '900 milliseconds' or looked_until > $1 + interval '5 seconds'
                for update skip locked) as free
        returning free.last, free.busy
        """;

    private const string RememberBusy = "update aging_checkpoints set busy_at = $1";

    // After a longer time without any process, the orders of that time are looked at when they reach the next age.
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Takes the turn, inside the caller's transaction: a rollback gives it back. Null when somebody else has it, or
    /// has looked within the last second.
    /// </summary>
    public static async Task<AgingTurn?> TakeAsync(
        NpgsqlConnection connection,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await using var command = With(new NpgsqlCommand(Take, connection), now);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var last = reader.GetFieldValue<DateTimeOffset>(0);
        var isAfterGap = last <= now - LongestGap || last >= now;
        return new AgingTurn(isAfterGap ? now - LongestGap : last, reader.GetFieldValue<DateTimeOffset>(1), isAfterGap);
    }

    /// <summary>Says that an order was found unfinished at the first of the ages.</summary>
    public static async Task RememberBusyAsync(
        NpgsqlConnection connection,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await using var command = With(new NpgsqlCommand(RememberBusy, connection), now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand With(NpgsqlCommand command, DateTimeOffset now)
    {
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        return command;
    }
}
