using Orders.Infrastructure.Webhooks;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Intake;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Webhooks;

/// <summary>
/// <c>/webhooks</c>: a client registers, lists, tests, rotates and removes its own web hooks, and sees their last
/// deliveries. Those of others are as if they did not exist.
/// </summary>
internal sealed class WebhookEndpoints(
    WebhookRegistry registry,
    WebhookDeliveryReader deliveries,
    WebhookRules rules,
    WebhookTestLimit tests
)
{
    public const int LargestBody = 16 * 1024;

    // Long enough to change a secret by hand, in a team that sleeps at night.
    private static readonly TimeSpan KeepSecret = TimeSpan.FromHours(24);

    private static readonly Problem NotFound = new(
        ProblemKinds.WebhookNotFound,
        "None of the client's web hooks has this id; GET /webhooks lists them."
    );

    /// <summary><c>POST /webhooks</c>.</summary>
    public async Task AddAsync(HttpContext context)
    {
        if (PlainJson.FaultIn(context.Request) is { } unreadable)
        {
            await unreadable.AnswerAsync(context);
            return;
        }

        using var body = await RequestBody.ReadAsync(context, LargestBody);
        if (body.Problem is { } unread)
        {
            await unread.AnswerAsync(context);
            return;
        }

        if (WebhookBody.Read(body.Bytes.Span, out var wanted) is { } malformed)
        {
            await Refused(ProblemKinds.MalformedBody, malformed).AnswerAsync(context);
            return;
        }

        var errors = new FieldErrors();
        var (url, events) = rules.Check(wanted, errors);
        if (!errors.IsEmpty)
        {
            await Refused(ProblemKinds.InvalidWebhook, errors).AnswerAsync(context);
            return;
        }

        var secret = WebhookSecret.New();
        var client = Caller.Of(context).ClientId;
        var (webhook, isKnown) = await registry.AddAsync(client, url!, events, secret, context.RequestAborted);
        if (webhook is null)
        {
            await (
                isKnown
                    ? new Problem(
                        ProblemKinds.WebhookExists,
                        "Use the one that is there; POST /webhooks/{id}/rotate-secret shows a new secret."
                    )
                    : new Problem(
                        ProblemKinds.TooManyWebhooks,
                        $"A client has at most {WebhookRegistry.MostOfClient} web hooks; remove one first."
                    )
            ).AnswerAsync(context);
            return;
        }

        context.Response.Headers.Location = $"/webhooks/{webhook.Id}";
        await JsonAnswer.WriteAsync(
            context,
            StatusCodes.Status201Created,
            WebhookWithSecret.Of(webhook, secret),
            ApiJson.Default.WebhookWithSecret
        );
    }

    /// <summary><c>GET /webhooks</c>.</summary>
    public async Task ListAsync(HttpContext context)
    {
        var webhooks = await registry.ListAsync(Caller.Of(context).ClientId, context.RequestAborted);
        await JsonAnswer.WriteAsync(
            context,
            StatusCodes.Status200OK,
            [.. webhooks.Select(WebhookAnswer.Of)],
            ApiJson.Default.WebhookAnswerArray
        );
    }

    /// <summary><c>GET /webhooks/{id}</c>.</summary>
    public async Task FindAsync(HttpContext context, Guid id)
    {
        if (await registry.FindAsync(Caller.Of(context).ClientId, id, context.RequestAborted) is { } webhook)
            await JsonAnswer.WriteAsync(
                context,
                StatusCodes.Status200OK,
                WebhookAnswer.Of(webhook),
                ApiJson.Default.WebhookAnswer
            );
        else
            await NotFound.AnswerAsync(context);
    }

    /// <summary><c>DELETE /webhooks/{id}</c>.</summary>
    public async Task RemoveAsync(HttpContext context, Guid id)
    {
        if (await registry.RemoveAsync(Caller.Of(context).ClientId, id, context.RequestAborted))
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        else
            await NotFound.AnswerAsync(context);
    }

    /// <summary><c>POST /webhooks/{id}/rotate-secret</c>.</summary>
    public async Task RotateAsync(HttpContext context, Guid id)
    {
        var secret = WebhookSecret.New();
        var client = Caller.Of(context).ClientId;
        if (await registry.RotateAsync(client, id, secret, KeepSecret, context.RequestAborted) is { } webhook)
            await JsonAnswer.WriteAsync(
                context,
                StatusCodes.Status200OK,
                WebhookWithSecret.Of(webhook, secret),
                ApiJson.Default.WebhookWithSecret
            );
        else
            await NotFound.AnswerAsync(context);
    }

    /// <summary><c>POST /webhooks/{id}/test</c>.</summary>
    public async Task TestAsync(HttpContext context, Guid id)
    {
        if (tests.Charge(Caller.Of(context)) is { } refusal)
        {
            await refusal.AnswerAsync(context);
            return;
        }

        if (await registry.TestAsync(Caller.Of(context).ClientId, id, context.RequestAborted) is { } delivery)
            await JsonAnswer.WriteAsync(
                context,
                StatusCodes.Status202Accepted,
                new TestedWebhook(delivery),
                ApiJson.Default.TestedWebhook
            );
        else
            await NotFound.AnswerAsync(context);
    }

    /// <summary><c>GET /webhooks/{id}/deliveries</c>.</summary>
    public async Task DeliveriesAsync(HttpContext context, Guid id)
    {
        if (await registry.FindAsync(Caller.Of(context).ClientId, id, context.RequestAborted) is null)
        {
            await NotFound.AnswerAsync(context);
            return;
        }

        var last = await deliveries.OfWebhookAsync(id, context.RequestAborted);
        await JsonAnswer.WriteAsync(
            context,
            StatusCodes.Status200OK,
            [.. last.Select(DeliveryAnswer.Of)],
            ApiJson.Default.DeliveryAnswerArray
        );
    }

    private static Problem Refused(ProblemKind kind, FieldErrors errors) =>
        new(kind, "Every fault is listed under errors, by JSON pointer.", errors);
}
