namespace Orders.Chaos.Checking;

/// <summary>Promise 1: what was answered 2xx is there and comes to an end; what was refused is not there.</summary>
internal static class AcceptanceInvariants
{
    public static IEnumerable<Invariant> All { get; } =
    [
        new("accepted orders are stored", Meaning.Lost, b => Accepted(b).Count(), b =>
            from p in Accepted(b)
            from id in p.OrderIds
            where !b.Orders.ContainsKey(id)
            select $"order {id} was answered 2xx (key {p.Key}) and is not in the database"),

        new("orders are stored as posted", Meaning.Wrong, b => b.Evidence.Orders.Count, b =>
            from o in b.Evidence.Orders
            where b.Posted.TryGetValue(o.Address, out var p) && p.Lines.Count > 0 && !p.Lines.ToHashSet().SetEquals(o.Lines)
            select $"order {o.Id} has other lines than its client posted"),

        new("accepted orders come to an end", Meaning.Stuck, b => b.Evidence.Orders.Count, b =>
            from o in b.Evidence.Orders
            where o.End == OrderEnd.Open
            select $"order {o.Id} is still under way: {Describe(b.OpenStepsOf[o.Id])}"),

        new("one order per key", Meaning.Duplicate, b => b.OrdersOf.Count, b =>
            (from orders in b.OrdersOf
             where orders.Count() > 1
             select $"order {orders.First().Id} exists {orders.Count()} times: {string.Join(", ", orders.Select(o => o.Id))}")
            .Concat(
                from p in b.Evidence.Posted
                where p.OrderIds.Count > 1
                select $"order {p.OrderIds[0]}: key {p.Key} was answered with {p.OrderIds.Count} ids: {string.Join(", ", p.OrderIds)}")),

        new("the API never answers 500", Meaning.Wrong, b => b.Evidence.Posted.Count, b =>
            b.Evidence.ServerErrors.Select(key => $"key {key} was answered 500; while something is away, the answer is 503")),

        new("nothing stored that was never posted", Meaning.Wrong, b => b.Evidence.Orders.Count, b =>
            from o in b.Evidence.Orders
            where !b.Posted.ContainsKey(o.Address)
            select $"order {o.Id} is in the database and nobody posted it"),

        new("nothing stored that was refused", Meaning.Wrong, b => b.Evidence.Posted.Count(p => p.Outcome == Outcome.Refused), b =>
            from p in b.Evidence.Posted
            where p.Outcome == Outcome.Refused
            from o in b.OrdersOf[p.Address]
            select $"order {o.Id} was refused (key {p.Key}) and is in the database"),
    ];

    private static IEnumerable<PostedOrder> Accepted(Books books) => books.Evidence.Posted.Where(p => p.Outcome == Outcome.Accepted);

    private static string Describe(IEnumerable<OpenStep> steps) =>
        steps.Any() ? string.Join(", ", steps.Select(s => $"{s.Step} {s.Status}")) : "no step has begun that is not done";
}
