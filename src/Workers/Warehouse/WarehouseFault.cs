using Orders.Workers.Outgoing;
using QueueWorkers.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>
/// What a reply that is not 2xx means for the pick list. Repeating is safe, since the key makes it the same call; a
/// refusal that no repetition changes costs an operator's time if it is repeated for hours. docs/warehouse.md has the
/// table.
/// </summary>
internal static class WarehouseFault
{
    /// <summary>The fault to throw.</summary>
    public static Exception Of(BoundedReply reply, WarehouseOptions options)
    {
        var warehouse = $"The warehouse at {options.Url.Authority}";
        var found = $"{reply.Status} {reply.Text}".TrimEnd();
        var wait = reply.RetryAfter > options.RetryAfterLimit ? options.RetryAfterLimit : reply.RetryAfter;
        return reply.Status switch
        {
            >= 500 or 408 or 429 => new WarehouseUnavailableException(
                $"{warehouse} cannot take orders now: {found}{Asking(reply, wait)}",
                wait
            ),
            409 when reply.IsKeyInProgress => new PickListBusyException(
                $"{warehouse} is still working on a call with the same Idempotency-Key: {found}{Asking(reply, wait)}",
                wait
            ),
            423 or 425 => new PickListBusyException(
                $"{warehouse} cannot take this pick list now: {found}{Asking(reply, wait)}",
                wait
            ),
            >= 300 and < 400 => Final(
                $"Expected the warehouse's answer from {options.Url.Authority}, found a redirect ({reply.Status}{Towards(reply)}), which is never followed: "
                    + "a signed pick list goes to the configured address only. Set Warehouse__Url to the final address, then redrive."
            ),
            410 => Final(
                $"Expected {options.Url.Authority} to take the pick list, found {found}: the address is not served any more, or the order was recalled there. "
                    + "Ask the warehouse which; set Warehouse__Url to its present address, then redrive."
            ),
            409 => Final(
                $"{warehouse} refused the pick list because of a conflict: {found}. Settle it with the warehouse, then redrive."
            ),
            422 => Final(
                $"{warehouse} refused the pick list, or knows its Idempotency-Key with other content: {found}. Settle it with the warehouse, then redrive."
            ),
            _ => Final($"{warehouse} refused the pick list: {found}. Settle it with the warehouse, then redrive."),
        };
    }

    private static PermanentFaultException Final(string message) => new(message) { IsAnswer = true };

    private static string Towards(BoundedReply reply) => reply.RedirectsTo is { } host ? $" to {host}" : "";

    private static string Asking(BoundedReply reply, TimeSpan? wait) =>
        reply.RetryAfter is not { } asked ? ""
        : wait is { } limit && limit < asked
            ? $" (asked to wait {asked.TotalSeconds:0} s, which Warehouse:RetryAfterLimit cuts to {limit.TotalSeconds:0} s)"
        : $" (asked to wait {asked.TotalSeconds:0} s)";
}
