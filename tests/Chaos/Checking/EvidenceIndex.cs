namespace Orders.Chaos.Checking;

/// <summary>The evidence, looked up by order and by address.</summary>
public sealed class EvidenceIndex(Evidence evidence)
{
    /// <summary>The evidence itself.</summary>
    public Evidence Evidence => evidence;

    /// <summary>Stored orders by id.</summary>
    public IReadOnlyDictionary<Guid, StoredOrder> Orders { get; } = evidence.Orders.ToDictionary(o => o.Id);

    /// <summary>Stored orders by mail address.</summary>
    public ILookup<string, StoredOrder> OrdersOf { get; } = evidence.Orders.ToLookup(o => o.Address);

    /// <summary>Posted orders by mail address.</summary>
    public IReadOnlyDictionary<string, PostedOrder> Posted { get; } = evidence.Posted.ToDictionary(p => p.Address);

    /// <summary>Mails by recipient.</summary>
    public ILookup<string, DeliveredMail> MailsTo { get; } = evidence.Mails.ToLookup(m => m.Address);

    /// <summary>Accepted warehouse calls by order.</summary>
    public ILookup<Guid, AcceptedCall> CallsFor { get; } = evidence.WarehouseCalls.ToLookup(c => c.OrderId);

    /// <summary>Invoices by order.</summary>
    public ILookup<Guid, StoredInvoice> InvoicesOf { get; } = evidence.Invoices.ToLookup(i => i.OrderId);

    /// <summary>Movements by order.</summary>
    public ILookup<Guid, Movement> MovementsOf { get; } = evidence.Movements.ToLookup(m => m.OrderId);

    /// <summary>Steps that are not done, by order.</summary>
    public ILookup<Guid, OpenStep> OpenStepsOf { get; } = evidence.OpenSteps.ToLookup(s => s.OrderId);

    /// <summary>Orders that ended so.</summary>
    public IReadOnlyList<StoredOrder> Ended(OrderEnd end) => [.. evidence.Orders.Where(o => o.End == end)];
}
