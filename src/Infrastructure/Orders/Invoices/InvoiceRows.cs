using System.Text.Json;
using Npgsql;

namespace Orders.Infrastructure.Invoices;

/// <summary>
/// What the statements of <see cref="InvoiceNumbers"/> and <see cref="CreditNoteNumbers"/> share. Their parameters:
/// $1 the orders, $2 the series, $3 the number of its first document, $4 the prefix, $5 the time zone.
/// </summary>
internal static class InvoiceRows
{
    /// <summary>A common table expression <c>counter</c>: the last number, or the one before the first.</summary>
    public const string Counter = """
        counter as (
            select case when last = 0 then $3 - 1 else last end as last from invoice_counter where series = $2)
        """;

    /// <summary>A statement that advances the counter by as many numbers as <c>issued</c> has.</summary>
    public const string Count = """
        update invoice_counter set last = (select last from counter) + (select count(*) from issued)
            where series = $2 and exists (select from issued)
        """;

    /// <summary>The column <c>number</c> as it is printed: at least eight digits behind the prefix.</summary>
    public const string PrintedNumber = "$4 || lpad(number::text, greatest(8, length(number::text)), '0')";

    /// <summary>Today, where the seller is.</summary>
    public const string IssuedOn = "(now() at time zone $5)::date";

    /// <summary>Columns of <c>invoices</c>, for <see cref="InvoiceFrom"/>; whether it is stored comes behind.</summary>
    public const string Invoice = "order_id, number, printed_number, issued_at, issued_on, snapshot";

    /// <summary>Reads the columns <see cref="Invoice"/>.</summary>
    /// <param name="reader">On a row.</param>
    /// <param name="first">The ordinal of the first column.</param>
    public static IssuedInvoice InvoiceFrom(NpgsqlDataReader reader, int first)
    {
        var number = reader.GetInt64(first + 1);
        return new IssuedInvoice(
            reader.GetGuid(first),
            number,
            OrderNumber.Invoice(PrintedFrom(reader, first + 2), number),
            reader.GetFieldValue<DateTimeOffset>(first + 3),
            DayFrom(reader, first + 4),
            JsonSerializer.Deserialize(reader.GetFieldValue<byte[]>(first + 5), InvoiceJson.Default.InvoiceSnapshot)!,
            reader.GetBoolean(first + 6)
        );
    }

    /// <summary>Reads a printed number; null when the row has none.</summary>
    public static string? PrintedFrom(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>Reads the day of issue. Where the row has none it is that of UTC, of the moment one column before.</summary>
    public static DateOnly DayFrom(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column)
            ? DateOnly.FromDateTime(reader.GetFieldValue<DateTimeOffset>(column - 1).UtcDateTime)
            : reader.GetFieldValue<DateOnly>(column);
}
