namespace Orders.Chaos.Planning;

/// <summary>What a run does: faults, orders, and how fast they come.</summary>
/// <param name="Plan">The faults.</param>
/// <param name="Orders">How many orders.</param>
/// <param name="Rate">How many a second.</param>
/// <param name="MustAcceptAll">Whether every order has to be accepted at its first try: nothing on the way to 202 was
/// hit.</param>
/// <param name="MustStayFlat">Whether memory may not grow.</param>
public sealed record Scenario(
    Plan Plan,
    int Orders,
    double Rate,
    bool MustAcceptAll = false,
    bool MustStayFlat = false
);

/// <summary>The scenarios by name.</summary>
public static class Scenarios
{
    /// <summary>Faults drawn from the seed.</summary>
    public const string Plan = "plan";

    private const string BrokerKills = "broker-kills";
    private const string NodeKills = "node-kills";
    private const string Soak = "soak";
    private const string PostgresFailover = "postgres-failover";

    // The last orders come after the last fault: what broke has to work again for them.
    private static readonly TimeSpan Tail = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AfterFailover = TimeSpan.FromSeconds(22);

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } = [Plan, BrokerKills, NodeKills, PostgresFailover, Soak];

    /// <summary>The scenario that the options name.</summary>
    public static Scenario Of(ChaosOptions options) =>
        options.Scenario switch
        {
            BrokerKills => Spread(
                Planning.Plan.Repeat(
                    new FaultType(FaultKind.Kill, "rabbitmq", default, default, "broker restarted"),
                    10,
                    TimeSpan.FromSeconds(15),
                    TimeSpan.FromSeconds(1)
                ),
                options.Rate ?? 20
            ),
            NodeKills => Spread(NodesOfACluster(), options.Rate ?? 20),
            PostgresFailover => FailedOver(options.Rate ?? 20),
            Soak => new Scenario(Planning.Plan.Nothing, options.Orders, options.Rate ?? 100, MustStayFlat: true),
            _ => Planned(Planning.Plan.Draw(options.Seed, options.Faults, options.Gap, options.Kind), options),
        };

    private static Scenario Planned(Plan plan, ChaosOptions options) =>
        new(plan, options.Orders, options.Rate ?? Math.Max(1, options.Orders / (plan.End + Tail).TotalSeconds));

    // API and database are left alone, so every order is accepted; the number of orders follows from the time the
    // faults take.
    private static Scenario Spread(Plan plan, double rate, TimeSpan? tail = null) =>
        new(plan, (int)((plan.End + (tail ?? Tail)).TotalSeconds * rate), rate, MustAcceptAll: true);

    // The API answers 503 meanwhile, and clients ask again: not every first try is answered.
    private static Scenario FailedOver(double rate)
    {
        var type = new FaultType(FaultKind.Failover, "postgres", default, default, FaultCatalogue.Failover);
        var plan = new Plan([new PlannedFault(1, TimeSpan.FromSeconds(15), type, TimeSpan.FromSeconds(3))]);
        return Spread(plan, rate, AfterFailover) with { MustAcceptAll = false };
    }

    private static Plan NodesOfACluster() =>
        new([
            Node(1, 10, "rabbitmq", "broker node killed"),
            Node(2, 50, "rabbitmq-2", "broker node killed"),
            // Two of three: the majority is gone, and no queue takes anything until one of them is back.
            Node(3, 90, "rabbitmq+rabbitmq-3", "broker restarted"),
        ]);

    private static PlannedFault Node(int number, double at, string target, string @class) =>
        new(
            number,
            TimeSpan.FromSeconds(at),
            new FaultType(FaultKind.Kill, target, default, default, @class),
            TimeSpan.FromSeconds(20)
        );
}
