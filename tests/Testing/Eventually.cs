using System.Diagnostics;
using NUnit.Framework.Constraints;

namespace Orders.Testing;

/// <summary>Waits for what must come true, by looking again and again until a deadline. The only place in the tests that waits for time to pass.</summary>
public static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Looks until the value satisfies the constraint; fails with what was expected and what was seen last.</summary>
    /// <param name="look">Reads the value.</param>
    /// <param name="constraint">What it must satisfy.</param>
    /// <param name="what">What the value is, for the message.</param>
    /// <param name="within">The deadline; 30 s, because the machine may be busy.</param>
    public static async Task<T> That<T>(Func<Task<T>> look, IResolveConstraint constraint, string what, TimeSpan? within = null)
    {
        var expected = constraint.Resolve();
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var value = await look();
            var result = expected.ApplyTo(value);
            if (result.IsSuccess)
                return value;
            if (watch.Elapsed > (within ?? Patience))
            {
                using var text = new NUnit.Framework.Internal.TextMessageWriter($"{what}, looked at for {watch.Elapsed.TotalSeconds:0.0} s");
                result.WriteMessageTo(text);
                Assert.Fail(text.ToString());
            }

            await Task.Delay(PauseAfter(watch.Elapsed));
        }
    }

    // A look is a query or a round trip to the broker. Six fixtures that look forty times a second take a third of a processor from what they wait for,
    // so whoever has waited long looks less often: 25 ms apart at first, 100 ms from 4 s on.
    private static TimeSpan PauseAfter(TimeSpan waited) => TimeSpan.FromTicks(Math.Clamp(waited.Ticks / 40, ShortestPause.Ticks, LongestPause.Ticks));

    /// <summary>The same for a value that is at hand without waiting.</summary>
    public static Task<T> That<T>(Func<T> look, IResolveConstraint constraint, string what, TimeSpan? within = null) =>
        That(() => Task.FromResult(look()), constraint, what, within);

    /// <summary>Looks until the condition holds.</summary>
    public static Task Is(Func<Task<bool>> condition, string what, TimeSpan? within = null) => That(condition, NUnit.Framework.Is.True, what, within);

    /// <summary>The same for a condition that is at hand without waiting.</summary>
    public static Task Is(Func<bool> condition, string what, TimeSpan? within = null) => That(condition, NUnit.Framework.Is.True, what, within);
}
