namespace Orders.Chaos.Checking;

/// <summary>
/// Everything that was seen of an installation at rest, from five sides that do not copy from each other: the client's history, the database, the mail server's ledger,
/// the warehouse's ledger and the broker. The checker computes its verdicts from this and from nothing else.
/// </summary>
public sealed record Evidence
{
    /// <summary>What the client posted and what it was told.</summary>
    public IReadOnlyList<PostedOrder> Posted { get; init; } = [];

    /// <summary>The orders in the database.</summary>
    public IReadOnlyList<StoredOrder> Orders { get; init; } = [];

    /// <summary>The steps that stand somewhere else than done.</summary>
    public IReadOnlyList<OpenStep> OpenSteps { get; init; } = [];

    /// <summary>Mails that reached somebody.</summary>
    public IReadOnlyList<DeliveredMail> Mails { get; init; } = [];

    /// <summary>Calls that the warehouse accepted; one under a key it knew is no second effect and is not listed again.</summary>
    public IReadOnlyList<AcceptedCall> WarehouseCalls { get; init; } = [];

    /// <summary>The invoices.</summary>
    public IReadOnlyList<StoredInvoice> Invoices { get; init; } = [];

    /// <summary>The stock movements.</summary>
    public IReadOnlyList<Movement> Movements { get; init; } = [];

    /// <summary>The stock.</summary>
    public IReadOnlyList<StockLevel> Stock { get; init; } = [];

    /// <summary>Effects that are neither done nor taken back.</summary>
    public IReadOnlyList<OpenEffect> OpenEffects { get; init; } = [];

    /// <summary>Rows of the outbox that are due and alive: at rest there are none.</summary>
    public IReadOnlyList<Guid> Unsent { get; init; } = [];

    /// <summary>Messages that wait or are under way, by queue of a step: at rest there are none.</summary>
    public IReadOnlyDictionary<string, long> Waiting { get; init; } = new Dictionary<string, long>();

    /// <summary>Queues of steps that do not exist: what is published to them is lost.</summary>
    public IReadOnlyList<string> MissingQueues { get; init; } = [];

    /// <summary>Answers of the API with status 500, by key: a fault that it did not recognise.</summary>
    public IReadOnlyList<string> ServerErrors { get; init; } = [];

    /// <summary>What stands in <c>_error</c>, <c>_skipped</c>, <c>unrouted</c> and in quarantine.</summary>
    public IReadOnlyList<ParkedMessage> Parked { get; init; } = [];

    /// <summary>The index of failures that operators search: those that are open. Null where there is no index.</summary>
    public IReadOnlyList<IndexedFailure>? Index { get; init; }

    /// <summary>What operators sent again.</summary>
    public IReadOnlyList<Redrive> Redrives { get; init; } = [];

    /// <summary>Whether operators have redriven, after all faults, whatever was still parked: then nothing is.</summary>
    public bool AllRedriven { get; init; }

    /// <summary>Workers that were asked to end.</summary>
    public IReadOnlyList<WorkerStop> Stops { get; init; } = [];

    /// <summary>How many mails may be uncertain: the kills placed between the mail server's answer and the commit, where nobody can be asked for a receipt.</summary>
    public int UncertainAllowed { get; init; }
}

/// <summary>One order as the client knows it.</summary>
/// <param name="Key">Its Idempotency-Key.</param>
/// <param name="Address">The mail address, which no other order of the history has.</param>
/// <param name="Outcome">What the client was told in the end.</param>
/// <param name="OrderIds">The ids in the answers, without repetition: one, if all is well.</param>
/// <param name="Lines">What was ordered; empty for an order that had to be refused.</param>
public sealed record PostedOrder(string Key, string Address, Outcome Outcome, IReadOnlyList<Guid> OrderIds, IReadOnlyList<Line> Lines);

/// <summary>What a client knows of a request.</summary>
public enum Outcome
{
    /// <summary>No answer, or one that leaves it open (5xx): the order may be there or not.</summary>
    Unknown,

    /// <summary>Answered 2xx.</summary>
    Accepted,

    /// <summary>Answered 4xx: it must not be there.</summary>
    Refused,
}

/// <summary>An article and how many of it.</summary>
public readonly record struct Line(string Sku, int Quantity);

/// <summary>An order in the database.</summary>
public sealed record StoredOrder(Guid Id, string Address, OrderEnd End, string Currency, decimal Total, IReadOnlyList<Line> Lines);

/// <summary>How an order has ended.</summary>
public enum OrderEnd
{
    /// <summary>It has not.</summary>
    Open,
    Completed,
    Rejected,
    Cancelled,

    /// <summary>A step is parked; an operator sees it.</summary>
    Parked,
}

/// <summary>A step that is not done.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Step">The step.</param>
/// <param name="Status">Its status by name.</param>
public sealed record OpenStep(Guid OrderId, string Step, string Status)
{
    /// <summary>Whether a message of it has to stand where operators find it.</summary>
    public bool IsParked => Status is "Parked" or "Uncertain";
}

/// <summary>A mail in the mail server's ledger.</summary>
public sealed record DeliveredMail(string MessageId, string Address)
{
    /// <summary>Whether it says that the order cannot be filled, and not that it has arrived.</summary>
    public bool IsApology => MessageId.StartsWith("apology.", StringComparison.Ordinal);
}

/// <summary>A call in the warehouse's ledger.</summary>
public sealed record AcceptedCall(Guid OrderId, string Key);

/// <summary>An invoice.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Number">The number.</param>
/// <param name="Currency">Of its snapshot.</param>
/// <param name="Total">Of its snapshot.</param>
/// <param name="DocumentProblem">What is wrong with the document; null when it opens and matches its checksum.</param>
public sealed record StoredInvoice(Guid OrderId, long Number, string Currency, decimal Total, string? DocumentProblem);

/// <summary>A stock movement; negative takes away.</summary>
public sealed record Movement(Guid OrderId, string Sku, int Quantity);

/// <summary>The stock of an article.</summary>
public sealed record StockLevel(string Sku, int Initial, int OnHand);

/// <summary>An effect that was begun and not ended.</summary>
public sealed record OpenEffect(Guid OrderId, string Name, bool IsUncertain);

/// <summary>A message where operators find it.</summary>
/// <param name="Place">The queue, or <c>quarantine</c>.</param>
/// <param name="MessageId">The original message id; null when the message has none that can be read.</param>
/// <param name="OrderId">The order; null when that cannot be read.</param>
public sealed record ParkedMessage(string Place, Guid? MessageId, Guid? OrderId)
{
    /// <summary>The place of what the relay could not send.</summary>
    public const string Quarantine = "quarantine";
}

/// <summary>An open entry of the index of failures.</summary>
public sealed record IndexedFailure(string Place, Guid? MessageId);
