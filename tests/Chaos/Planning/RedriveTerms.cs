using System.Globalization;

namespace Orders.Chaos.Planning;

/// <summary>How operators redrive what a fault has dead-lettered.</summary>
/// <param name="After">When they ask for it first, counted from the fault's beginning: while it is there, or soon after
/// it.</param>
/// <param name="Hands">How many ask at the same time for the same messages.</param>
/// <param name="Canary">How many messages are sent first.</param>
/// <param name="RatePerSecond">How many a second are sent after that.</param>
/// <param name="StopPercent">At which share of messages that failed again it stops by itself.</param>
public sealed record RedriveTerms(TimeSpan After, int Hands, int Canary, int RatePerSecond, int StopPercent)
{
    private const int MostHands = 3;
    private const int LargestCanary = 20;

    /// <summary>Draws terms for a fault of this length: three of four ask while it is still there.</summary>
    public static RedriveTerms Draw(Random random, TimeSpan duration) =>
        new(
            duration * (0.3 + (0.9 * random.NextDouble())),
            random.Next(1, MostHands + 1),
            random.Next(LargestCanary + 1),
            random.Next(10, 201),
            random.Next(5, 61)
        );

    /// <inheritdoc />
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"redriven after {After.TotalSeconds:0.0} s by {Hands}: canary {Canary}, {RatePerSecond}/s, stops at {StopPercent} %"
        );
}
