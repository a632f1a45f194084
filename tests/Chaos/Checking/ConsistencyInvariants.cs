namespace Orders.Chaos.Checking;

/// <summary>The books add up: stock, money, invoice numbers, documents.</summary>
internal static class ConsistencyInvariants
{
    public static IEnumerable<Invariant> All { get; } =
    [
        new(
            "stock adds up and is never below zero",
            Meaning.Wrong,
            b => b.Evidence.Stock.Count,
            b =>
            {
                var moved = b.Evidence.Movements.ToLookup(m => m.Sku, m => m.Quantity);
                return from s in b.Evidence.Stock
                    let expected = s.Initial + moved[s.Sku].Sum()
                    where expected != s.OnHand || s.OnHand < 0
                    select $"article {s.Sku}: {s.Initial} at the beginning and the movements make {expected}, on hand are {s.OnHand}";
            }
        ),
        new(
            "invoices have the amount of their order",
            Meaning.Wrong,
            b => b.Evidence.Invoices.Count,
            b =>
                from i in b.Evidence.Invoices
                where !b.Orders.TryGetValue(i.OrderId, out var o) || o.Total != i.Total || o.Currency != i.Currency
                select $"order {i.OrderId}: invoice {i.Number} says {i.Total} {i.Currency}, the order {(b.Orders.TryGetValue(i.OrderId, out var order) ? $"{order.Total} {order.Currency}" : "does not exist")}"
        ),
        new(
            "money adds up per currency",
            Meaning.Wrong,
            b => b.Ended(OrderEnd.Completed).Count,
            b =>
                from orders in b.Ended(OrderEnd.Completed).GroupBy(o => o.Currency)
                let ordered = orders.Sum(o => o.Total)
                let invoiced = orders.SelectMany(o => b.InvoicesOf[o.Id]).Sum(i => i.Total)
                where ordered != invoiced
                select $"{orders.Key}: completed orders make {ordered}, their invoices {invoiced}"
        ),
        new(
            "invoice numbers have no gap",
            Meaning.Wrong,
            b => b.Evidence.Invoices.Count,
            b =>
            {
                var numbers = b.Evidence.Invoices.Select(i => i.Number).ToArray();
                if (numbers.Length == 0)
                    return [];
                var (first, last) = (numbers.Min(), numbers.Max());
                var missing = last - first + 1 - numbers.Distinct().Count();
                return missing == 0 && first == 1
                    ? []
                    :
                    [
                        $"{numbers.Length} invoices have the numbers {first}–{last}: {missing} are missing in between, the first should be 1",
                    ];
            }
        ),
        new(
            "documents open and match their checksum",
            Meaning.Wrong,
            b => b.Evidence.Invoices.Count,
            b =>
                from i in b.Evidence.Invoices
                where i.DocumentProblem is not null && !b.OpenStepsOf[i.OrderId].Any(s => s.Step == "invoice")
                select $"order {i.OrderId}: the document of invoice {i.Number} {i.DocumentProblem}"
        ),
    ];
}
