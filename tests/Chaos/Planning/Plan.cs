namespace Orders.Chaos.Planning;

/// <summary>Which faults, when: written down before anything runs, and the same for the same seed.</summary>
/// <param name="Faults">In the order of time.</param>
public sealed record Plan(IReadOnlyList<PlannedFault> Faults)
{
    private const int MostAtOnce = 2;
    private const int Dozen = 12;
    private static readonly FaultKind[] Logins =
    [
        FaultKind.DatabasePassword,
        FaultKind.DatabaseClosed,
        FaultKind.BrokerPassword,
    ];
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    /// <summary>A plan without faults.</summary>
    public static Plan Nothing { get; } = new([]);

    /// <summary>When the last fault has ended.</summary>
    public TimeSpan End => Faults.Count == 0 ? TimeSpan.Zero : Faults.Max(f => f.At + f.Duration);

    /// <summary>
    /// Draws a plan: gaps are exponential with the given mean, at most two faults at once, never two on one target.
    /// Every kind comes once before any comes twice, so that a short plan is a sample and a long one is complete. A
    /// redrive, a rolling restart, a refused login, a scaling out and a deployment are among the first dozen, at places
    /// that are drawn too.
    /// </summary>
    /// <param name="seed">The plan follows from it.</param>
    /// <param name="count">How many faults.</param>
    /// <param name="meanGap">The mean time between two faults.</param>
    /// <param name="only">The only kind; null for all.</param>
    public static Plan Draw(int seed, int count, TimeSpan meanGap, FaultKind? only = null)
    {
        var random = new Random(seed);
        var plan = new List<PlannedFault>(count);
        var deck = new List<FaultType>();
        var at = First;
        // What people do to a system belongs into every sample of what happens to it.
        var places = Enumerable.Range(1, Dozen).ToArray();
        random.Shuffle(places);
        var kinds = new Dictionary<int, FaultKind>
        {
            [places[0]] = FaultKind.Redrive,
            [places[1]] = FaultKind.Roll,
            [places[2]] = Logins[random.Next(Logins.Length)],
            [places[3]] = FaultKind.Scale,
            [places[4]] = FaultKind.Deploy,
        };
        for (var number = 1; number <= count; number++)
        {
            if (deck.Count == 0)
            {
                deck.AddRange(FaultCatalogue.All.Where(t => only is null || t.Kind == only));
                random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(deck));
            }

            var candidates =
                kinds.TryGetValue(number, out var kind) && deck.Exists(t => t.Kind == kind)
                    ? deck.FindAll(t => t.Kind == kind)
                    : deck;
            // The next one of the deck whose target is free; if none is, or two are going on, a little later.
            FaultType? type;
            while (
                (
                    type =
                        plan.Count(f => f.IsOnAt(at)) < MostAtOnce
                            ? candidates.FirstOrDefault(t => IsFree(plan, t, at))
                            : null
                )
                    is null
            )
                at += Step;
            deck.Remove(type);
            plan.Add(Drawn(number, at, type, random));
            at += meanGap * -Math.Log(1 - random.NextDouble());
        }

        return new Plan(plan);
    }

    /// <summary>The same fault at regular times.</summary>
    public static Plan Repeat(FaultType type, int count, TimeSpan every, TimeSpan duration) =>
        new([.. Enumerable.Range(1, count).Select(n => new PlannedFault(n, every * n, type, duration))]);

    /// <inheritdoc />
    public override string ToString() =>
        string.Join(Environment.NewLine, Faults.Select(f => f.Redrive is null ? $"{f}" : $"{f}, {f.Redrive}"));

    private static PlannedFault Drawn(int number, TimeSpan at, FaultType type, Random random)
    {
        var duration = type.Shortest + ((type.Longest - type.Shortest) * random.NextDouble());
        if (type.Modes is [])
            return new PlannedFault(number, at, type, duration);
        var mode = type.Modes[random.Next(type.Modes.Length)];
        if (type.Kind is not (FaultKind.Misbehave or FaultKind.Redrive))
            return new PlannedFault(number, at, type, duration, mode);
        var share = Math.Round(0.2 + (0.8 * random.NextDouble()), 2);
        return new PlannedFault(
            number,
            at,
            type,
            duration,
            mode,
            share,
            type.Kind == FaultKind.Redrive ? RedriveTerms.Draw(random, duration) : null
        );
    }

    private static bool IsFree(List<PlannedFault> plan, FaultType type, TimeSpan at)
    {
        var targets = type.Target.Split('+');
        return !plan.Exists(f => at < f.Free && f.Targets.Intersect(targets).Any());
    }
}
