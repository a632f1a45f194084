namespace Orders.Infrastructure.Invoices;

/// <summary>
/// Who sends the invoice. Part of the snapshot: a later change of the configuration leaves issued invoices as they are.
/// </summary>
/// <param name="Name">The company.</param>
/// <param name="Address">Its address, one line.</param>
/// <param name="TaxId">Its tax number.</param>
public sealed record Seller(string Name, string Address, string TaxId);
