using System.Diagnostics;

namespace Orders.Chaos.Clients;

/// <summary>
/// Posts orders at a fixed rate, whether the system keeps up or not: customers do not wait for each other.
/// </summary>
public static class OpenLoop
{
    /// <summary>Posts the orders 1 to <paramref name="count"/> of a book.</summary>
    /// <param name="book">The orders.</param>
    /// <param name="count">How many.</param>
    /// <param name="perSecond">How many a second.</param>
    /// <param name="client">The client.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(
        OrderRegistry book,
        int count,
        double perSecond,
        ChaosShopClient client,
        CancellationToken cancellationToken
    )
    {
        var start = Stopwatch.GetTimestamp();
        var running = new HashSet<Task>();
        for (var number = 1; number <= count; number++)
        {
            var wait = TimeSpan.FromSeconds((number - 1) / perSecond) - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, cancellationToken);
            running.Add(client.PostAsync(book.Order(number), cancellationToken));
            if (running.Count >= 256)
                running.RemoveWhere(t => t.IsCompletedSuccessfully);
        }

        await Task.WhenAll(running);
    }
}
