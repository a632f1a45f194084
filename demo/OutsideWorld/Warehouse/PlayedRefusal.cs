using System.Globalization;
using System.Net.Mime;
using System.Text;
using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Warehouse;

/// <summary>The answer of a warehouse that refuses a call because <c>/behaviour</c> says so.</summary>
internal sealed class PlayedRefusal : IResult
{
    public const string ProblemType = "urn:problem:outside-world:warehouse";

    private const int HugeBody = 10 * 1000 * 1000;

    // An odd number of characters before the emoji: whoever cuts the text after an even number of them cuts one in two.
    private const string BeforeTheEmoji = "no room for";
    private const int Emoji = 150;

    private static readonly TimeSpan BetweenTwoBytes = TimeSpan.FromMilliseconds(50);

    private readonly Func<HttpContext, Task> write;

    private PlayedRefusal(int status, Func<HttpContext, Task> write) => (Status, this.write) = (status, write);

    /// <summary>The HTTP status.</summary>
    public int Status { get; }

    /// <summary>The refusal that a behaviour plays; null when it plays none.</summary>
    public static PlayedRefusal? Of(
        FaultProfile<WarehouseMode> profile,
        TimeProvider clock,
        CancellationToken stopping
    ) =>
        profile.Mode switch
        {
            WarehouseMode.Error => Problem(StatusCodes.Status503ServiceUnavailable, Plays("error")),
            WarehouseMode.Reject => Problem(StatusCodes.Status422UnprocessableEntity, Plays("reject")),
            WarehouseMode.InProgress => Problem(
                StatusCodes.Status409Conflict,
                "a request with this Idempotency-Key is in progress",
                "urn:problem:outside-world:idempotency-key-in-progress"
            ),
            WarehouseMode.Conflict => Problem(StatusCodes.Status409Conflict, Plays("conflict")),
            WarehouseMode.RetryAfter => Later(
                StatusCodes.Status429TooManyRequests,
                Math.Ceiling(profile.Delay.TotalSeconds).ToString(CultureInfo.InvariantCulture)
            ),
            WarehouseMode.RetryDate => Later(
                StatusCodes.Status503ServiceUnavailable,
                (clock.GetUtcNow() + profile.Delay).ToString("R", CultureInfo.InvariantCulture)
            ),
            WarehouseMode.Gone => Problem(StatusCodes.Status410Gone, Plays("gone")),
            WarehouseMode.Moved => new PlayedRefusal(
                StatusCodes.Status308PermanentRedirect,
                context =>
                {
                    context.Response.Headers.Location = "https://warehouse.example/pick-lists";
                    return Task.CompletedTask;
                }
            ),
            WarehouseMode.HalfEmoji => Text(
                "utf-8",
                [
                    .. Encoding.UTF8.GetBytes(BeforeTheEmoji + string.Concat(Enumerable.Repeat("\U0001F4E6", Emoji))),
                    // The first two of an emoji's four bytes.
                    0xF0,
                    0x9F,
                ]
            ),
            WarehouseMode.Endless => new PlayedRefusal(
                StatusCodes.Status422UnprocessableEntity,
                context => TrickleAsync(context, stopping)
            ),
            WarehouseMode.Huge => Text("utf-8", [.. Enumerable.Repeat((byte)'x', HugeBody)]),
            WarehouseMode.Latin1 => Text("iso-8859-1", Encoding.Latin1.GetBytes("Größe ungültig")),
            _ => null,
        };

    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = Status;
        return write(httpContext);
    }

    private static string Plays(string mode) => $"the warehouse plays {mode}; see /behaviour";

    private static PlayedRefusal Problem(int status, string detail, string type = ProblemType) =>
        new(status, context => Results.Problem(detail, statusCode: status, type: type).ExecuteAsync(context));

    private static PlayedRefusal Later(int status, string when) =>
        new(
            status,
            context =>
            {
                context.Response.Headers.RetryAfter = when;
                return Results
                    .Problem($"the warehouse wants the call again: {when}", statusCode: status, type: ProblemType)
                    .ExecuteAsync(context);
            }
        );

    private static PlayedRefusal Text(string charset, byte[] body) =>
        new(
            StatusCodes.Status422UnprocessableEntity,
            async context =>
            {
                context.Response.ContentType = $"{MediaTypeNames.Text.Plain}; charset={charset}";
                context.Response.ContentLength = body.Length;
                await context.Response.Body.WriteAsync(body, context.RequestAborted);
            }
        );

    private static async Task TrickleAsync(HttpContext context, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, context.RequestAborted);
        context.Response.ContentType = MediaTypeNames.Text.Plain;
        try
        {
            while (true)
            {
                await context.Response.WriteAsync("x", end.Token);
                await context.Response.Body.FlushAsync(end.Token);
                await Task.Delay(BetweenTwoBytes, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The caller left, or the world goes down.
            context.Abort();
        }
    }
}
