namespace Orders.Bench.MassTransitPlain;

public sealed record OrderLine(string Sku, int Quantity);

/// <summary>Published once per order; the broker fans it out to the four consumers' queues.</summary>
public sealed record OrderAccepted(long OrderId, string Email, bool Premium, OrderLine[] Lines);
