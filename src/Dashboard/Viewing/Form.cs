using Microsoft.Net.Http.Headers;

namespace Orders.Dashboard.Viewing;

/// <summary>What forms of all pages have in common.</summary>
internal static class Form
{
    /// <summary>What an operator is told who gave no reason.</summary>
    public const string SayWhy = "Nothing was changed: say why, in at most 500 characters.";

    /// <summary>The most that a form may have: a page of 50 ids and a reason are 3 KB.</summary>
    public const long MostBytes = 64 * 1024;

    /// <summary>The longest reason, in characters.</summary>
    public const int LongestReason = 500;

    /// <summary>
    /// Whether the body is a form as our pages send it. Another kind, multipart with files, is never read.
    /// </summary>
    public static bool IsIn(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Why the operator does it; null when that is missing or too long, and nothing may be done then.
    /// </summary>
    public static async Task<string?> ReasonAsync(HttpContext http) =>
        (await http.Request.ReadFormAsync(http.RequestAborted))["reason"].ToString().Trim()
            is { Length: > 0 and <= LongestReason } reason
            ? reason
            : null;

    /// <summary>Does what a form asks for, with the reason that it must have, and leads back to a page.</summary>
    /// <param name="http">The form's request.</param>
    /// <param name="address">The page.</param>
    /// <param name="change">Does it; returns why it was refused, or null.</param>
    public static async Task<IResult> ChangeAsync(HttpContext http, string address, Func<string, Task<string?>> change)
    {
        if (await ReasonAsync(http) is not { } reason)
            return Back(address, SayWhy);
        return await change(reason) is { } refused
            ? Back(address, $"Nothing was changed. {refused}")
            : Results.Redirect(address);
    }

    /// <summary>Back to a page, with what was done.</summary>
    public static IResult Back(string address, string done) => new DoneResult(address, done);
}
