using System.Buffers.Text;
using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Orders;

/// <summary><c>GET /orders</c>: the client's own orders, the newest first, a page at a time.</summary>
internal sealed class ListOrders(OrderListReader reader)
{
    /// <summary>The most orders of a page.</summary>
    public const int LongestPage = 200;

    private const int UsualPage = 50;

    private static readonly string[] Known = ["status", "from", "to", "cursor", "limit"];

    // A parameter that is given twice arrives as "a,b", which none of them accepts.
    public async Task HandleAsync(
        HttpContext context,
        string? status,
        string? from,
        string? to,
        string? cursor,
        string? limit
    )
    {
        var errors = new FieldErrors();
        if (context.Request.Query.Keys.Any(k => !Known.Contains(k)))
            errors.Add("", $"has an unknown parameter; known are {string.Join(", ", Known)}");
        var query = new OrderListQuery(
            Caller.Of(context).ClientId,
            ReadStatus(status, errors),
            ReadMoment("from", from, errors),
            ReadMoment("to", to, errors),
            ReadCursor(cursor, errors),
            ReadLimit(limit, errors)
        );
        if (!errors.IsEmpty)
        {
            await new Problem(
                ProblemKinds.InvalidParameter,
                "Every fault is listed under errors, by the name of the parameter.",
                errors
            ).AnswerAsync(context);
            return;
        }

        // One more than asked for tells whether there is a next page.
        var orders = await reader.ReadAsync(query with { Limit = query.Limit + 1 }, context.RequestAborted);
        var more = orders.Count > query.Limit;
        var page = new OrderPage(
            [.. orders.Take(query.Limit).Select(OrderSummary.Of)],
            more ? CursorOf(orders[query.Limit - 1].Id) : null
        );
        await JsonAnswer.WriteAsync(context, StatusCodes.Status200OK, page, ApiJson.Default.OrderPage);
    }

    private static OrderStatus? ReadStatus(string? text, FieldErrors errors)
    {
        if (text is null)
            return null;
        foreach (var status in Enum.GetValues<OrderStatus>())
        {
            if (status.ToString() == text)
                return status;
        }

        errors.Add("status", $"must be one of {string.Join(", ", Enum.GetNames<OrderStatus>())}");
        return null;
    }

    private static DateTimeOffset? ReadMoment(string name, string? text, FieldErrors errors)
    {
        if (text is null)
            return null;
        // A plus sign that was not escaped in the address arrives as a blank.
        if (TimestampText.TryRead(text.Replace(' ', '+'), out var moment))
            return moment;
        errors.Add(name, "must be a moment of RFC 3339 with an offset, such as 2026-12-24T08:00:00Z");
        return null;
    }

    private static int ReadLimit(string? text, FieldErrors errors)
    {
        if (text is null)
            return UsualPage;
        if (
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit is >= 1 and <= LongestPage
        )
            return limit;
        errors.Add("limit", $"must be 1–{LongestPage}");
        return UsualPage;
    }

    private static Guid? ReadCursor(string? text, FieldErrors errors)
    {
        if (text is null)
            return null;
        Span<byte> bytes = stackalloc byte[16];
        if (
            text.Length == Base64Url.GetEncodedLength(16)
            && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, bytes, out var length)
            && length == 16
        )
            return new Guid(bytes, bigEndian: true);
        errors.Add("cursor", "must be the nextCursor of the page before, unchanged");
        return null;
    }

    private static string CursorOf(Guid id) => Base64Url.EncodeToString(id.ToByteArray(bigEndian: true));
}

/// <summary>A page of orders.</summary>
/// <param name="Orders">The orders, the newest first.</param>
/// <param name="NextCursor">What to send as <c>cursor</c> for the next page; null when this was the last one.</param>
public sealed record OrderPage(IReadOnlyList<OrderSummary> Orders, string? NextCursor);

/// <summary>An order in a list.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="Number">The order's number, for people.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Premium">Whether it goes before normal ones.</param>
/// <param name="Total">Sum of its lines.</param>
/// <param name="Currency">EUR, USD or GBP.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="CompletedAt">When its last step was done; null before.</param>
public sealed record OrderSummary(
    Guid Id,
    string Number,
    OrderStatus Status,
    bool Premium,
    decimal Total,
    string Currency,
    DateTime CreatedAt,
    DateTime? CompletedAt
)
{
    internal static OrderSummary Of(ListedOrder order) =>
        new(
            order.Id,
            OrderNumber.Format(order.Number),
            order.Status,
            order.Premium,
            order.Total,
            order.Currency,
            order.CreatedAt.UtcDateTime,
            order.CompletedAt?.UtcDateTime
        );
}
