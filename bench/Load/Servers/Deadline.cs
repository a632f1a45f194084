namespace Orders.Bench.Load.Servers;

public static class Deadline
{
    /// <summary>
    /// Asks until the answer is yes. A question that throws counts as no; the last reason stands in the exception.
    /// </summary>
    /// <exception cref="TimeoutException">The answer was still no when the time was up.</exception>
    public static async Task UntilAsync(
        string what,
        TimeSpan within,
        Func<Task<bool>> question,
        CancellationToken cancel
    )
    {
        Exception? last = null;
        for (var end = DateTime.UtcNow + within; DateTime.UtcNow < end; await Task.Delay(100, cancel))
        {
            try
            {
                if (await question())
                    return;
            }
            catch (Exception e) when (!cancel.IsCancellationRequested)
            {
                last = e;
            }
        }

        throw new TimeoutException(
            $"expected {what} within {within.TotalSeconds:0} s, still not so; last reason: {last?.Message ?? "the answer was no"}",
            last
        );
    }
}
