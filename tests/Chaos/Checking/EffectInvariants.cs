namespace Orders.Chaos.Checking;

/// <summary>
/// Promise 2: every effect of an order happens once; in an order that did not complete, at most once.
/// </summary>
internal static class EffectInvariants
{
    public static IEnumerable<Invariant> All { get; } =
    [
        new(
            "a mail for each order",
            Meaning.Lost,
            b => Confirmed(b).Count(),
            b =>
                from o in Confirmed(b)
                where !b.MailsTo[o.Address].Any(m => !m.IsApology)
                select $"order {o.Id} is {o.End} and no confirmation went to {o.Address}"
        ),
        new(
            "an apology for each rejected order",
            Meaning.Lost,
            b => b.Ended(OrderEnd.Rejected).Count,
            b =>
                from o in b.Ended(OrderEnd.Rejected)
                where !b.MailsTo[o.Address].Any(m => m.IsApology)
                select $"order {o.Id} is Rejected and no apology went to {o.Address}"
        ),
        new(
            "no mail twice",
            Meaning.Duplicate,
            b => b.Evidence.Mails.Count,
            b =>
                from mails in b.MailsTo
                from kind in mails.GroupBy(m => m.IsApology)
                where kind.Count() > 1
                select $"order {NameOf(b, mails.Key)} got {kind.Count()} {(kind.Key ? "apologies" : "confirmations")}: {string.Join(", ", kind.Select(m => m.MessageId))}"
        ),
        new(
            "no mail to strangers",
            Meaning.Wrong,
            b => b.MailsTo.Count,
            b =>
                from mails in b.MailsTo
                where !b.OrdersOf.Contains(mails.Key)
                select $"order of {mails.Key} is not in the database and was mailed"
        ),
        new(
            "an invoice for each completed order",
            Meaning.Lost,
            b => b.Ended(OrderEnd.Completed).Count,
            b =>
                from o in b.Ended(OrderEnd.Completed)
                where !b.InvoicesOf.Contains(o.Id)
                select $"order {o.Id} is Completed and has no invoice"
        ),
        new(
            "no invoice twice",
            Meaning.Duplicate,
            b => b.Evidence.Invoices.Count,
            b =>
                (
                    from invoices in b.InvoicesOf
                    where invoices.Count() > 1
                    select $"order {invoices.Key} has {invoices.Count()} invoices: {string.Join(", ", invoices.Select(i => i.Number))}"
                ).Concat(
                    from same in b.Evidence.Invoices.GroupBy(i => i.Number)
                    where same.Count() > 1
                    select $"order {same.First().OrderId} shares invoice number {same.Key} with {string.Join(", ", same.Skip(1).Select(i => i.OrderId))}"
                )
        ),
        new(
            "a stock movement for each line",
            Meaning.Lost,
            b => b.Ended(OrderEnd.Completed).Sum(o => o.Lines.Count),
            b =>
                from o in b.Ended(OrderEnd.Completed)
                from l in o.Lines
                where -b.MovementsOf[o.Id].Where(m => m.Sku == l.Sku).Sum(m => m.Quantity) < l.Quantity
                select $"order {o.Id} is Completed and took less than its {l.Quantity} × {l.Sku} out of stock"
        ),
        new(
            "no stock moved twice",
            Meaning.Duplicate,
            b => b.Evidence.Movements.Count,
            b =>
                from o in b.Evidence.Orders
                from moved in b.MovementsOf[o.Id].GroupBy(m => m.Sku)
                let ordered = o.Lines.Where(l => l.Sku == moved.Key).Sum(l => l.Quantity)
                where -moved.Sum(m => m.Quantity) > ordered
                select $"order {o.Id} took {-moved.Sum(m => m.Quantity)} × {moved.Key} out of stock and ordered {ordered}"
        ),
        new(
            "the warehouse told of each completed order",
            Meaning.Lost,
            b => b.Ended(OrderEnd.Completed).Count,
            b =>
                from o in b.Ended(OrderEnd.Completed)
                where !b.CallsFor.Contains(o.Id)
                select $"order {o.Id} is Completed and the warehouse was never told"
        ),
        new(
            "the warehouse told once",
            Meaning.Duplicate,
            b => b.Evidence.WarehouseCalls.Count,
            b =>
                from calls in b.CallsFor
                where calls.Count() > 1
                select $"order {calls.Key} was accepted {calls.Count()} times by the warehouse, under the keys {string.Join(", ", calls.Select(c => c.Key))}"
        ),
        new(
            "nothing done for rejected orders",
            Meaning.Wrong,
            b => b.Ended(OrderEnd.Rejected).Count,
            b =>
                from o in b.Ended(OrderEnd.Rejected)
                let done = new[]
                {
                    b.InvoicesOf.Contains(o.Id) ? "an invoice" : "",
                    b.CallsFor.Contains(o.Id) ? "a warehouse call" : "",
                    b.MovementsOf.Contains(o.Id) ? "stock moved" : "",
                }.Where(d => d != "")
                where done.Any()
                select $"order {o.Id} is Rejected and has {string.Join(", ", done)}"
        ),
        new(
            "uncertain effects within the kills",
            Meaning.Wrong,
            b => b.Evidence.UncertainAllowed,
            b =>
                b.Evidence.OpenEffects.Where(e => e.IsUncertain)
                    .Skip(b.Evidence.UncertainAllowed)
                    .Select(e =>
                        $"order {e.OrderId}: effect '{e.Name}' is uncertain, and only {b.Evidence.UncertainAllowed} may be"
                    )
        ),
    ];

    // An order that waits for its mail at the operator's is not counted here; whether its message is there is asked at
    // another place.
    private static IEnumerable<StoredOrder> Confirmed(EvidenceIndex books) =>
        books.Evidence.Orders.Where(o =>
            o.End is OrderEnd.Completed or OrderEnd.Rejected
            && !books.OpenStepsOf[o.Id].Any(s => s is { Step: "email", IsDeadLettered: true })
        );

    private static string NameOf(EvidenceIndex books, string address) =>
        books.OrdersOf[address].FirstOrDefault()?.Id.ToString() ?? $"of {address}";
}
