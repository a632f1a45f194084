using System.Text.Json;
using Orders.Infrastructure.Intake;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Intake;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>POST /orders/batch</c>: takes up to 500 orders. Each stands for itself: a bad one is refused, the others are
/// accepted, and the answer says which.
/// </summary>
internal sealed class PostOrderBatch(OrderSubmission door, ClientRateLimit limit, ILogger<PostOrderBatch> log)
{
    /// <summary>The largest body of a batch, in bytes.</summary>
    public const int LargestBody = 4 * 1024 * 1024;

    /// <summary>The most orders of a batch.</summary>
    public const int MostOrders = 500;

    private static readonly Members BatchMembers = new(["orders"], []);
    private static readonly Pointer OrdersPointer = Pointer.Root.To("orders");

    public async Task HandleAsync(HttpContext context)
    {
        if (RefuseHeaders(context.Request) is { } refusal)
        {
            await refusal.AnswerAsync(context);
            return;
        }

        using var body = await RequestBody.ReadAsync(context, LargestBody);
        List<Range> orders = [];
        refusal = body.Problem ?? Split(body.Bytes.Span, orders) ?? Charge(context, orders.Count);
        if (refusal is not null)
        {
            await RequestBodyDrain.RefuseAsync(context, refusal);
            return;
        }

        var results = await Task.WhenAll(orders.ConvertAll(range => TakeAsync(body.Bytes[range], Caller.Of(context))));
        await JsonAnswer.WriteAsync(
            context,
            StatusCodes.Status200OK,
            "application/json; charset=utf-8",
            results,
            Write
        );
    }

    private async Task<(Problem? Problem, IntakeResult? Result)> TakeAsync(ReadOnlyMemory<byte> body, Caller caller)
    {
        if (body.Length > OrderSubmission.LargestOrder)
            return (
                new Problem(
                    ProblemKinds.BodyTooLarge,
                    $"An order must have at most {OrderSubmission.LargestOrder} bytes."
                ),
                null
            );
        try
        {
            return await door.TakeAsync(door.PrepareOfBatch(body.Span, caller));
        }
#pragma warning disable CA1031 // Whatever it is, it is this order's: the others may be accepted, and the client has to learn of them.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var trace = Problem.PresentTrace();
            ApiLog.UnexpectedFault(log, exception, HttpMethods.Post, trace);
            return (
                new Problem(ProblemKinds.InternalError, "The fault is logged under the trace id.", TraceId: trace),
                null
            );
        }
    }

    private static Problem? RefuseHeaders(HttpRequest request)
    {
        if (PlainJson.FaultIn(request) is { } unreadable)
            return unreadable;
        return request.Headers.ContainsKey(IdempotencyKey.Header)
            ? new Problem(
                ProblemKinds.InvalidIdempotencyKey,
                "A batch takes no Idempotency-Key. Give each order of the batch a member idempotencyKey."
            )
            : null;
    }

    /// <summary>Finds where each order begins and ends; what is in it is checked afterwards, for each alone.</summary>
    private static Problem? Split(ReadOnlySpan<byte> body, List<Range> orders)
    {
        FieldErrors? errors;
        try
        {
            var reader = new StrictReader(body);
            if (reader.EnterObject(Pointer.Root))
            {
                var seen = 0u;
                while (reader.NextMember(BatchMembers, Pointer.Root, ref seen, out _))
                {
                    if (reader.EnterArray(OrdersPointer))
                        ReadRanges(ref reader, orders);
                }
            }

            reader.Finish();
            errors = reader.Errors;
        }
        catch (Exception exception) when (exception is JsonException or MalformedBodyException)
        {
            errors = OrderBody.Malformed(exception);
        }

        if (errors is null && orders.Count is 0 or > MostOrders)
            (errors = new FieldErrors()).Add(
                "/orders",
                $"must have 1–{MostOrders} orders, found {(orders.Count > MostOrders ? "more" : "none")}"
            );
        return errors is null
            ? null
            : new Problem(ProblemKinds.MalformedBody, "Nothing of the batch was accepted.", errors);
    }

    private static void ReadRanges(ref StrictReader reader, List<Range> orders)
    {
        while (reader.NextElement())
        {
            var start = reader.Position;
            reader.Skip(StrictReader.DeepestNesting + 2);
            if (orders.Count <= MostOrders)
                orders.Add(start..reader.End);
        }
    }

    // The request itself has paid for one order already.
    private Problem? Charge(HttpContext context, int orders) =>
        orders == 1 ? null : limit.Charge(Caller.Of(context), orders - 1);

    private static void Write(Utf8JsonWriter writer, (Problem? Problem, IntakeResult? Result)[] results)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("results"u8);
        foreach (var (problem, result) in results)
        {
            writer.WriteStartObject();
            writer.WriteNumber("status"u8, problem?.Kind.Status ?? StatusCodes.Status202Accepted);
            writer.WritePropertyName(problem is null ? "order"u8 : "problem"u8);
            if (problem is null)
            {
                JsonSerializer.Serialize(writer, AcceptedOrder.Of(result!.Order!), ApiJson.Default.AcceptedOrder);
                if (result.Outcome == IntakeOutcome.Replayed)
                    writer.WriteBoolean("replayed"u8, true);
            }
            else
            {
                problem.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
