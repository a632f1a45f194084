using System.Globalization;

namespace Orders.Chaos.Planning;

/// <summary>A fault with its time.</summary>
/// <param name="Number">Its place in the plan, from 1.</param>
/// <param name="At">When it begins, counted from the first order.</param>
/// <param name="Type">What it is.</param>
/// <param name="Duration">How long it lasts.</param>
/// <param name="Mode">How it is done, such as how the outside world misbehaves; empty for faults of one mode.</param>
/// <param name="Share">How many mails or calls are hit; 1 for other faults.</param>
/// <param name="Redrive">How operators redrive what it dead-letters; null for faults that dead-letter nothing.</param>
public sealed record PlannedFault(
    int Number,
    TimeSpan At,
    FaultType Type,
    TimeSpan Duration,
    string Mode = "",
    double Share = 1,
    RedriveTerms? Redrive = null
)
{
    // Containers need some seconds to be themselves again; two faults of one target never meet.
    private static readonly TimeSpan Room = TimeSpan.FromSeconds(6);

    // A message that both hit would be put off for minutes by its third failure, which is as it should be and longer
    // than a run drains.
    private static readonly TimeSpan RoomOutside = TimeSpan.FromSeconds(60);

    // Four workers, each of which has to be healthy before the next one ends.
    private static readonly TimeSpan RoomToRoll = TimeSpan.FromSeconds(48);

    // Until somebody claims a mail, and for a worker to stop and start.
    private static readonly TimeSpan RoomToClaim = TimeSpan.FromSeconds(20);

    /// <summary>What is hit.</summary>
    public IReadOnlyList<string> Targets => Type.Target.Split('+');

    /// <summary>Whether the outside world is told to misbehave.</summary>
    public bool IsOfTheWorld => Type.Kind is FaultKind.Misbehave or FaultKind.Redrive;

    /// <summary>From when on its target may be hit again.</summary>
    public TimeSpan Free =>
        At
        + Duration
        + (
            IsOfTheWorld ? RoomOutside
            : Type.Kind == FaultKind.Roll ? RoomToRoll
            : Type.Kind == FaultKind.KillAfterClaim ? RoomToClaim
            : Room
        );

    /// <summary>Whether it is still going on at a time.</summary>
    public bool IsOnAt(TimeSpan time) =>
        time < At + Duration + (Type.Kind == FaultKind.Roll ? RoomToRoll : TimeSpan.FromSeconds(2));

    /// <inheritdoc />
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Number, 3}  {At.TotalSeconds, 6:0.0} s  {Type.Kind.ToString().ToLowerInvariant(), -16}  {Type.Target}{(Mode == "" ? "" : IsOfTheWorld ? $" {Mode}, {Share:P0} hit" : $" {Mode}")}{(Duration > TimeSpan.Zero ? $", {Duration.TotalSeconds:0.0} s" : "")}"
        );
}
