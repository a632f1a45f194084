using System.Text.Json;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Problems;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Reports;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>GET /orders/{id}</c>: one order and how far each of its steps is. Another client's order does not exist.
/// </summary>
internal sealed class GetOrder(OrderViewReader reader)
{
    /// <summary>The answer for an order that does not exist or belongs to somebody else.</summary>
    public static readonly Problem NotFound = new(
        ProblemKinds.OrderNotFound,
        "Check the id; it is the one that POST /orders answered with."
    );

    public async Task HandleAsync(HttpContext context, Guid id)
    {
        var view = await reader.FindAsync(id, Caller.Of(context).ClientId, context.RequestAborted);
        await (
            view is null
                ? NotFound.AnswerAsync(context)
                : JsonAnswer.WriteAsync(
                    context,
                    StatusCodes.Status200OK,
                    OrderAnswer.Of(view),
                    ApiJson.Default.OrderAnswer
                )
        );
    }
}

/// <summary>An order and how far its steps are.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="Number">The order's number, for people.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Premium">Whether it goes before normal ones.</param>
/// <param name="Customer">Who ordered.</param>
/// <param name="Lines">What was ordered, at the prices of that time.</param>
/// <param name="Total">Sum of the lines.</param>
/// <param name="Currency">EUR, USD or GBP.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="CompletedAt">When its last step was done; null before.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="Invoice">Its invoice; null until the document is there.</param>
/// <param name="CreditNote">What took the invoice back after a cancellation; null when nothing did.</param>
/// <param name="CancelledAt">When it was cancelled; null when it was not.</param>
public sealed record OrderAnswer(
    Guid Id,
    string Number,
    OrderStatus Status,
    bool Premium,
    CustomerAnswer Customer,
    IReadOnlyList<LineAnswer> Lines,
    decimal Total,
    string Currency,
    DateTime CreatedAt,
    DateTime? CompletedAt,
    IReadOnlyList<StepAnswer> Steps,
    InvoiceAnswer? Invoice,
    InvoiceAnswer? CreditNote,
    DateTime? CancelledAt
)
{
    internal static OrderAnswer Of(OrderView view)
    {
        var order = view.Order;
        return new OrderAnswer(
            order.Id,
            OrderNumber.Format(order.Number),
            view.Status,
            order.Premium,
            new CustomerAnswer(order.CustomerName, order.CustomerEmail, order.Locale),
            [.. order.Lines.Select(l => new LineAnswer(l.Sku, l.Name, l.Quantity, l.UnitPrice, l.Total, l.VatRate))],
            order.Total,
            order.Currency,
            order.CreatedAt.UtcDateTime,
            view.CompletedAt?.UtcDateTime,
            [.. view.Steps.Select(s => StepAnswer.Of(s, view))],
            view.Invoice is { } i
                ? new InvoiceAnswer(i.Number, Convert.ToHexStringLower(i.Sha256), $"/orders/{order.Id}/invoice.pdf")
                : null,
            view.CreditNote is { } n
                ? new InvoiceAnswer(n.Number, Convert.ToHexStringLower(n.Sha256), $"/orders/{order.Id}/credit-note.pdf")
                : null,
            view.CancelledAt?.UtcDateTime
        );
    }
}

/// <summary>Who ordered.</summary>
/// <param name="Name">The customer's name.</param>
/// <param name="Email">The customer's mail address.</param>
/// <param name="Locale">The locale of mails and invoice.</param>
public sealed record CustomerAnswer(string Name, string Email, string Locale);

/// <summary>A line of an order.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Name">The article's name.</param>
/// <param name="Quantity">Pieces.</param>
/// <param name="UnitPrice">Price of one piece.</param>
/// <param name="Total">Quantity times price.</param>
/// <param name="VatRate">Value added tax that the price contains, in per cent; null when it is not known.</param>
public sealed record LineAnswer(
    string Sku,
    string Name,
    int Quantity,
    decimal UnitPrice,
    decimal Total,
    decimal? VatRate
);

/// <summary>How far a step is.</summary>
/// <param name="Step">The step.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempts">Attempts made so far.</param>
/// <param name="StartedAt">When the first attempt began; null before.</param>
/// <param name="FinishedAt">When it ended; null before.</param>
/// <param name="NextAttemptAt">When the next attempt is due; null when none is planned.</param>
/// <param name="LastFault">Why the last attempt failed, in a sentence; null when none did.</param>
/// <param name="LastFaultCode">The same as a stable code; null when none did.</param>
/// <param name="UndoneAt">When its work was undone after a cancellation: stock released, invoice taken back, pick list
/// recalled, customer told; null when it was not, or not yet.</param>
/// <param name="Reports">What its latest attempts told about themselves; empty when they told nothing.</param>
public sealed record StepAnswer(
    string Step,
    StepStatus Status,
    int Attempts,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    DateTime? NextAttemptAt,
    string? LastFault,
    string? LastFaultCode,
    DateTime? UndoneAt,
    IReadOnlyList<ReportAnswer> Reports
)
{
    internal static StepAnswer Of(StepRecord step, OrderView view)
    {
        var fault = ClientFault.OfStep(step.Status, step.LastFault);
        return new(
            step.Step,
            step.Status,
            step.Attempts,
            step.StartedAt?.UtcDateTime,
            step.FinishedAt?.UtcDateTime,
            step.NextAttemptAt?.UtcDateTime,
            fault?.Sentence,
            fault?.Code,
            view.UndoneAt.TryGetValue(step.Step, out var undoneAt) ? undoneAt.UtcDateTime : null,
            [.. view.Reports.Where(r => r.Step == step.Step).Select(ReportAnswer.Of)]
        );
    }
}

/// <summary>What an attempt of a step told about itself.</summary>
/// <param name="Attempt">Which attempt.</param>
/// <param name="Progress">How far it was, 0–1; null when it did not say.</param>
/// <param name="Activity">What it was at.</param>
/// <param name="Log">Its log lines, oldest first.</param>
/// <param name="Result">What came out; null when it did not say.</param>
/// <param name="At">When it told this.</param>
public sealed record ReportAnswer(
    int Attempt,
    double? Progress,
    string? Activity,
    IReadOnlyList<string> Log,
    JsonElement? Result,
    DateTime At
)
{
    internal static ReportAnswer Of(StepReport report) =>
        new(
            report.Attempt,
            report.Progress,
            report.Activity,
            report.Log,
            report.Result is { } json ? JsonElement.Parse(json) : null,
            report.At.UtcDateTime
        );
}

/// <summary>An invoice or a credit note.</summary>
/// <param name="Number">The document's number, for people.</param>
/// <param name="Sha256">SHA-256 of the document, in hexadecimal.</param>
/// <param name="Url">Where the document is.</param>
public sealed record InvoiceAnswer(string Number, string Sha256, string Url);
