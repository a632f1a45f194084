namespace Orders.OutsideWorld.Warehouse;

/// <summary><c>POST</c>, <c>GET</c> and <c>DELETE /warehouse</c>.</summary>
internal static class WarehouseEndpoints
{
    public static void MapWarehouse(this WebApplication app)
    {
        app.MapPost("/warehouse", (HttpContext context, WarehouseEndpoint door) => door.ReceiveAsync(context));
        app.MapGet(
            "/warehouse",
            (WarehouseLedger ledger, string? orderId) =>
            {
                var calls = orderId is null ? ledger.Calls : ledger.Of(orderId);
                return Results.Ok(
                    calls.Select(call => new CallView(
                        call.OrderId,
                        call.IdempotencyKey,
                        call.ReceivedAt,
                        call.Answer,
                        call.Repeats,
                        call.IsRecall
                    ))
                );
            }
        );
        app.MapDelete(
            "/warehouse",
            (WarehouseLedger ledger) =>
            {
                ledger.Clear();
                return Results.NoContent();
            }
        );
    }

    private sealed record CallView(
        string? OrderId,
        string? IdempotencyKey,
        DateTimeOffset ReceivedAt,
        int Answer,
        int Repeats,
        bool IsRecall
    );
}
