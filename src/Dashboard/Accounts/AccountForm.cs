using System.Globalization;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Clocks;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Accounts;

/// <summary>A form that changes an account or a key: its fields, the reason, and what proves who sends it.</summary>
internal sealed record AccountForm(IFormCollection Fields, byte[] Acting, string Reason, HttpContext Http)
{
    private const int LongestDays = 3650;

    /// <summary>Nobody reads more of a request than this.</summary>
    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>The version of the account that the page showed.</summary>
    public int? Version =>
        int.TryParse(Fields["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var seen) ? seen : null;

    /// <summary>When a new key ends; null for never.</summary>
    /// <exception cref="AccountRefusedException">The field has no number of days.</exception>
    public DateTimeOffset? ExpiresAt =>
        Number("days", LongestDays) is { } days ? DatabaseClock.UtcNow + TimeSpan.FromDays(days) : null;

    /// <summary>How long the old key stays valid.</summary>
    /// <exception cref="AccountRefusedException">The field has no number of hours.</exception>
    public TimeSpan Overlap =>
        Number("overlap", (int)KeyTerms.LongestOverlap.TotalHours) is { } hours
            ? TimeSpan.FromHours(hours)
            : KeyTerms.Overlap;

    /// <summary>Runs what a form asks for; back to its page with a sentence when it is refused.</summary>
    public static async Task<IResult> HandleAsync(
        HttpContext http,
        string page,
        Func<AccountForm, Task<IResult>> change
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back(page, Form.SayWhy);
        try
        {
            return await change(
                new AccountForm(
                    await http.Request.ReadFormAsync(http.RequestAborted),
                    ActingSecret.Of(http),
                    reason,
                    http
                )
            );
        }
        catch (AccountRefusedException refused)
        {
            return Form.Back(page, $"Nothing was changed. {refused.Message}");
        }
    }

    private int? Number(string field, int most)
    {
        var text = Fields[field].ToString().Trim();
        if (text == "")
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most
            ? number
            : throw new AccountRefusedException(
                AccountRefusal.Invalid,
                $"Expected a whole number up to {most} in the field {field}."
            );
    }
}
