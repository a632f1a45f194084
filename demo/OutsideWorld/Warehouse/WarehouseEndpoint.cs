using System.Text.Json;
using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Warehouse;

/// <summary>
/// Receives the webhook: signature, shape, behaviour, ledger, answer, in that order; on record before the caller hears
/// of it.
/// </summary>
internal sealed class WarehouseEndpoint : IHostedService
{
    private const int LongestKey = 200;
    private readonly WarehouseLedger ledger;
    private readonly Behaviour behaviour;
    private readonly WebhookVerifier? signature;
    private readonly TimeProvider clock;
    private readonly CancellationToken stopping;
    private readonly ILogger<WarehouseEndpoint> logger;

    public WarehouseEndpoint(
        IOptions<OutsideWorldOptions> options,
        WarehouseLedger ledger,
        Behaviour behaviour,
        TimeProvider clock,
        IHostApplicationLifetime lifetime,
        ILogger<WarehouseEndpoint> logger
    )
    {
        this.ledger = ledger;
        this.behaviour = behaviour;
        this.clock = clock;
        signature =
            options.Value.WarehouseSecret is { } secret && !string.IsNullOrWhiteSpace(secret)
                ? new WebhookVerifier(secret, clock)
                : null;
        stopping = lifetime.ApplicationStopping;
        this.logger = logger;
    }

    // A hosted service only to be made at the start: a ledger that cannot be opened must stop the start, not the first
    // call.
    public Task StartAsync(CancellationToken cancellationToken)
    {
        logger.WarehouseSignatures(
            signature is null ? "not verified: OutsideWorld:WarehouseSecret is empty" : "verified"
        );
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<IResult> ReceiveAsync(HttpContext context)
    {
        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content, context.RequestAborted);
        var body = content.ToArray();
        var key = context.Request.Headers["Idempotency-Key"] is [{ Length: > 0 and <= LongestKey } only] ? only : null;
        var (orderId, isRecall) = OrderOf(body);

        if (signature?.ProblemWith(context.Request.Headers, body) is { } forged)
            return Fail(orderId, key, StatusCodes.Status401Unauthorized, forged);
        if (key is null)
            return Fail(
                orderId,
                key,
                StatusCodes.Status400BadRequest,
                $"expected one Idempotency-Key header of 1–{LongestKey} characters; found none, several or a longer one"
            );
        if (orderId is null)
            return Fail(
                orderId,
                key,
                StatusCodes.Status400BadRequest,
                "expected a JSON object whose orderId is a string of 1–200 characters; found something else"
            );

        var profile = behaviour.Warehouse.Next() ?? new FaultProfile<WarehouseMode>(WarehouseMode.Ok);
        if (profile.Mode == WarehouseMode.Down)
        {
            ledger.RecordFailure(orderId, key, 0);
            context.Abort();
            return Results.Empty;
        }

        if (PlayedRefusal.Of(profile, clock, stopping) is not { } refusal)
            return await AcceptAsync(context, orderId, key, isRecall, profile);
        ledger.RecordFailure(orderId, key, refusal.Status);
        return refusal;
    }

    private async Task<IResult> AcceptAsync(
        HttpContext context,
        string orderId,
        string key,
        bool isRecall,
        FaultProfile<WarehouseMode> profile
    )
    {
        var entry = ledger.Accept(orderId, key, isRecall);
        if (profile.Mode == WarehouseMode.Slow)
            await HoldAsync(context, profile.Delay);
        if (profile.Mode == WarehouseMode.Vanish)
            context.Abort();
        return entry.IsAccepted
            ? Results.Json(
                new
                {
                    entry.OrderId,
                    entry.IdempotencyKey,
                    entry.Repeats,
                },
                statusCode: entry.Answer
            )
            : Refusal(
                entry.Answer,
                entry.Answer == StatusCodes.Status410Gone
                    ? "the order was recalled before its pick list came"
                    : "expected a new Idempotency-Key for each order; found one that another order was accepted with"
            );
    }

    private async Task HoldAsync(HttpContext context, TimeSpan delay)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, context.RequestAborted);
        try
        {
            await Task.Delay(delay, end.Token);
        }
        catch (OperationCanceledException)
        {
            // The caller left, or the world goes down: no answer is what a slow warehouse gives then.
            context.Abort();
        }
    }

    private IResult Fail(string? orderId, string? key, int status, string detail)
    {
        ledger.RecordFailure(orderId, key, status);
        return Refusal(status, detail);
    }

    private static IResult Refusal(int status, string detail) =>
        Results.Problem(detail, statusCode: status, type: PlayedRefusal.ProblemType);

    private static (string? OrderId, bool IsRecall) OrderOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return
                document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("orderId", out var id)
                && id.ValueKind == JsonValueKind.String
                && id.GetString() is { Length: > 0 and <= 200 } order
                ? (order, root.TryGetProperty("recall", out var recall) && recall.ValueKind == JsonValueKind.True)
                : (null, false);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // No JSON, or a string that is half a surrogate pair.
            return (null, false);
        }
    }
}
