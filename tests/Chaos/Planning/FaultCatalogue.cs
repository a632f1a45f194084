namespace Orders.Chaos.Planning;

/// <summary>A fault that a plan may contain.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Target">To whom: a compose service, or several joined by <c>+</c>.</param>
/// <param name="Shortest">The shortest time it lasts.</param>
/// <param name="Longest">The longest.</param>
/// <param name="Class">The row of the table of recovery times it belongs to.</param>
/// <param name="Modes">The ways in which it is done, such as how the outside world misbehaves; one is drawn.</param>
public sealed record FaultType(
    FaultKind Kind,
    string Target,
    TimeSpan Shortest,
    TimeSpan Longest,
    string Class,
    params string[] Modes
);

/// <summary>The faults that plans are drawn from, and how soon the system has to work again after each.</summary>
public static class FaultCatalogue
{
    /// <summary>The services that run steps.</summary>
    public static readonly string[] Workers = ["email", "inventory", "invoice", "warehouse"];

    /// <summary>The class that is not about working again: how soon a worker has to be gone after SIGTERM.</summary>
    public const string WorkerStop = "worker asked to stop";

    /// <summary>
    /// The class of the failover of PostgreSQL: from the promotion until API and all steps have worked again.
    /// </summary>
    public const string Failover = "PostgreSQL failover";

    /// <summary>Whether plans delete queues.</summary>
    public static readonly bool DeletesQueues = true;

    /// <summary>How soon the system has to work again, by class: in 95 of 100 cases, and at most.</summary>
    public static readonly IReadOnlyDictionary<string, (TimeSpan P95, TimeSpan Max)> Targets = new Dictionary<
        string,
        (TimeSpan, TimeSpan)
    >
    {
        ["worker killed"] = (Seconds(5), Seconds(15)),
        [WorkerStop] = (Seconds(25), Seconds(25)),
        ["frozen or half open"] = (Seconds(25), Seconds(35)),
        ["API or relay killed"] = (Seconds(5), Seconds(10)),
        ["broker restarted"] = (Seconds(10), Seconds(20)),
        ["broker node killed"] = (Seconds(15), Seconds(15)),
        ["PostgreSQL restarted"] = (Seconds(5), Seconds(10)),
        [Failover] = (Seconds(15), Seconds(30)),
        ["partition"] = (Seconds(15), Seconds(25)),
        ["login refused"] = (Seconds(10), Seconds(20)),
        ["queue deleted"] = (Seconds(15), Seconds(30)),
        ["deployed"] = (Seconds(5), Seconds(10)),
        ["clock off"] = (Seconds(10), Seconds(20)),
        ["policy"] = (Seconds(15), Seconds(30)),
    };

    /// <summary>
    /// The deletions of queues, which are among <see cref="All"/> only if <see cref="DeletesQueues"/>.
    /// </summary>
    public static IReadOnlyList<FaultType> Deletions { get; } =
    [
        .. Workers.Select(w => new FaultType(
            FaultKind.DeleteQueue,
            w,
            Seconds(2),
            Seconds(8),
            "queue deleted",
            "running",
            "stopped"
        )),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<FaultType> All { get; } =
    [
        .. Workers.Select(w => new FaultType(FaultKind.Kill, w, Seconds(0), Seconds(3), "worker killed")),
        // Longer than the lease of a mail (22 s) now and then: who thaws must not send what another has sent meanwhile.
        .. Workers.Select(w => new FaultType(
            FaultKind.Freeze,
            w,
            Seconds(5),
            Seconds(w == "email" ? 30 : 15),
            "frozen or half open"
        )),
        .. Workers.Select(w => new FaultType(FaultKind.Cut, w, Seconds(5), Seconds(25), "partition")),
        new(FaultKind.Roll, string.Join('+', Workers), Seconds(0), Seconds(0), ""),
        new(FaultKind.Kill, "api", Seconds(0), Seconds(2), "API or relay killed"),
        new(FaultKind.Freeze, "api", Seconds(3), Seconds(8), "frozen or half open"),
        new(FaultKind.Kill, "rabbitmq", Seconds(0), Seconds(5), "broker restarted"),
        new(FaultKind.Restart, "rabbitmq", Seconds(0), Seconds(0), "broker restarted"),
        new(FaultKind.Freeze, "rabbitmq", Seconds(5), Seconds(20), "frozen or half open"),
        new(FaultKind.Cut, "rabbitmq", Seconds(5), Seconds(20), "partition"),
        new(FaultKind.Alarm, "rabbitmq", Seconds(3), Seconds(12), ""),
        new(FaultKind.Kill, "postgres", Seconds(0), Seconds(3), "PostgreSQL restarted"),
        new(FaultKind.Restart, "postgres", Seconds(0), Seconds(0), "PostgreSQL restarted"),
        new(FaultKind.Freeze, "postgres", Seconds(3), Seconds(10), "frozen or half open"),
        new(FaultKind.Cut, "postgres", Seconds(5), Seconds(15), "partition"),
        new(FaultKind.Terminate, "postgres", Seconds(1), Seconds(5), "PostgreSQL restarted"),
        new(FaultKind.Kill, "outside-world", Seconds(0), Seconds(3), ""),
        new(FaultKind.Misbehave, "smtp", Seconds(5), Seconds(15), "", "slow", "down", "tempfail", "drop"),
        // The mail is taken and the connection dropped before the 250: one mail, because the demo's receipts are asked.
        new(FaultKind.Misbehave, "smtp", Seconds(5), Seconds(15), "", "vanish"),
        new(FaultKind.Misbehave, "warehouse-calls", Seconds(5), Seconds(15), "", "slow", "down", "error", "vanish"),
        new(FaultKind.Redrive, "smtp", Seconds(5), Seconds(12), "", "reject"),
        new(FaultKind.Redrive, "warehouse-calls", Seconds(5), Seconds(12), "", "reject"),
        // It keeps the index of failures and carries out the redrives.
        new(FaultKind.Kill, "dashboard", Seconds(0), Seconds(3), ""),
        .. Workers.Select(w => new FaultType(FaultKind.DatabasePassword, w, Seconds(5), Seconds(20), "login refused")),
        new(FaultKind.DatabaseClosed, "postgres", Seconds(5), Seconds(20), "login refused"),
        .. Workers.Select(w => new FaultType(FaultKind.BrokerPassword, w, Seconds(5), Seconds(20), "login refused")),
        .. Workers.Select(w => new FaultType(
            FaultKind.Scale,
            w,
            Seconds(5),
            Seconds(15),
            "",
            "2 replicas",
            "3 replicas"
        )),
        new(FaultKind.Deploy, "migrate", Seconds(0), Seconds(0), "deployed"),
        .. DeletesQueues ? Deletions : [],
        .. Workers.Select(w => new FaultType(
            FaultKind.ClockOff,
            w,
            Seconds(8),
            Seconds(20),
            "clock off",
            "an hour fast",
            "an hour slow"
        )),
        .. Workers.Select(w => new FaultType(
            FaultKind.Policy,
            w,
            Seconds(3),
            Seconds(10),
            "policy",
            "message-ttl",
            "max-length"
        )),
        // Mails are the only effect that is claimed; a slow mail server leaves time to die between claim and mail.
        new(FaultKind.KillAfterClaim, "email+smtp", Seconds(0), Seconds(3), "worker killed"),
    ];

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
