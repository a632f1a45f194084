using Npgsql;

namespace Orders.Bench.Load.Systems;

/// <summary>Watches from outside, over a connection of its own, what a system has done.</summary>
public sealed class Effects(NpgsqlDataSource database, EffectQueries queries)
{
    public const int PerOrder = 4;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Waits until that many orders have all their effects. Asks four times a second: the exact end comes from the
    /// effects' own time.
    /// </summary>
    /// <exception cref="TimeoutException">Nothing moved for 30 seconds: effects are lost, or the system stands
    /// still.</exception>
    public async Task WaitForAllAsync(int orders, CancellationToken cancel)
    {
        var expected = (long)orders * PerOrder;
        var (seen, since) = (-1L, DateTime.UtcNow);
        while (await ScalarAsync<long>(queries.Count, cancel) is var found && found < expected)
        {
            if (found != seen)
                (seen, since) = (found, DateTime.UtcNow);
            else if (DateTime.UtcNow - since > Patience)
                throw new TimeoutException(
                    $"expected {expected} effects of {orders} orders, found {found}, and none was added for {Patience.TotalSeconds:0} s: see the system's logs"
                );
            await Task.Delay(Poll, cancel);
        }
    }

    public async Task<DateTime> LastAtAsync(CancellationToken cancel) =>
        await ScalarAsync<DateTime>(queries.LastAt, cancel);

    public async Task<long> CountAsync(string orderId, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(queries.CountOfOrder);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async Task AnalyzeAsync(CancellationToken cancel)
    {
        await using var command = database.CreateCommand(queries.Analyze);
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>
    /// Every order has each effect once, and stock moved by exactly what was ordered, and nothing waits to be sent.
    /// </summary>
    /// <exception cref="InvalidOperationException">Effects are missing, doubled or too many.</exception>
    public async Task VerifyAsync(int orders, CancellationToken cancel)
    {
        List<string> problems = [];
        var effects = await ScalarAsync<long>(queries.Count, cancel);
        if (effects != (long)orders * PerOrder)
            problems.Add($"expected {(long)orders * PerOrder} effects of {orders} orders, found {effects}");
        var wrong = await ScalarAsync<long>(queries.OrdersWithoutExactlyFour, cancel);
        if (wrong != 0)
            problems.Add($"expected exactly {PerOrder} effects for each order, found {wrong} orders with others");
        var (moved, ordered) = (
            await ScalarAsync<long>(queries.StockMoved, cancel),
            await ScalarAsync<long>(queries.UnitsOrdered, cancel)
        );
        if (moved != ordered)
            problems.Add($"expected {ordered} units taken out of stock, found {moved}");
        if (await ScalarAsync<long>(queries.LeftBehind, cancel) is var left and not 0)
            problems.Add($"expected no message left in the outbox, found {left}");
        if (problems.Count > 0)
            throw new InvalidOperationException(string.Join("; ", problems));
    }

    private async Task<T> ScalarAsync<T>(string sql, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(cancel))!;
    }
}
