using System.Text.Json.Serialization;

namespace Orders.OutsideWorld.Mails;

/// <summary><c>GET</c> and <c>DELETE /mails</c>.</summary>
internal static class MailEndpoints
{
    public static void MapMails(this WebApplication app)
    {
        app.MapGet("/mails", List);
        app.MapDelete(
            "/mails",
            (MailLedger ledger) =>
            {
                ledger.Clear();
                return Results.NoContent();
            }
        );
    }

    private static IResult List(
        MailLedger ledger,
        string? to,
        string? messageId,
        string? outcome,
        int limit = int.MaxValue,
        int offset = 0
    )
    {
        if (outcome is not (null or "all"))
            return Refuse("outcome", "all, or no outcome at all for delivered mails only", outcome);
        if (limit < 0)
            return Refuse("limit", "0 or more", limit);
        if (offset < 0)
            return Refuse("offset", "0 or more", offset);

        var withFailed = outcome == "all";
        var mails = ledger.Find(
            new MailQuery
            {
                To = to,
                MessageId = messageId,
                WithFailed = withFailed,
                Limit = limit,
                Offset = offset,
            }
        );
        return Results.Ok(
            mails.Select(mail => new MailView(
                mail.MessageId,
                mail.To,
                mail.Subject,
                mail.ReceivedAt,
                mail.Text,
                withFailed ? mail.Outcome : null
            ))
        );
    }

    private static IResult Refuse(string parameter, string expected, object found) =>
        Results.Problem(
            $"?{parameter}= expected {expected}; found {found}",
            statusCode: StatusCodes.Status400BadRequest,
            type: "urn:problem:outside-world:query"
        );

    private sealed record MailView(
        string? MessageId,
        string To,
        string Subject,
        DateTimeOffset ReceivedAt,
        string Text,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ReceptionOutcome? Outcome
    );
}
