using System.Globalization;
using Orders.Dashboard.Audit;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Smtp;
using QueueWorkers.Hosting;
using QueueWorkers.Monitoring.Alerts;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Alerts;

/// <summary>Alerts: what fires, the rules, and whether the receivers work.</summary>
internal static class AlertRoutes
{
    private const int Shown = 100;
    private const int InFile = 5000;
    private static readonly TimeSpan LongestSilence = TimeSpan.FromDays(7);
    private static readonly string[] Columns =
    [
        "rule",
        "for",
        "says",
        "since",
        "fired",
        "over",
        "acknowledged by",
        "sent",
        "send error",
    ];

    /// <summary>Adds what they stand on.</summary>
    public static IServiceCollection AddAlerts(this IServiceCollection services, IConfiguration configuration)
    {
        AlertOptions? options = null;
        SmtpOptions? server = null;
        new ConfigurationProblems()
            .Collect(() => options = AlertOptions.Read(configuration))
            .Collect(() => server = AlertOptions.HasMail(configuration) ? SmtpOptions.Read(configuration) : null)
            .ThrowIfAny();
        services.AddSingleton(options!).AddSingleton<AlertStore>();
        if (options!.WebhookUrl is not null)
            services.AddSingleton<IAlertReceiver, WebhookReceiver>();
        if (options.MailTo != "")
            services.AddSingleton<IAlertReceiver>(_ => new MailReceiver(options, server!));
        return services
            .AddSingleton<AlertService>()
            .AddHostedService(provider => provider.GetRequiredService<AlertService>());
    }

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/alerts",
                async (AlertStore book, Loader loader, HttpContext http) =>
                {
                    var alerts = loader.LoadAsync(
                        "the alerts",
                        token => book.FiredAsync(Shown, token),
                        http.RequestAborted
                    );
                    var rules = loader.LoadAsync("the rules", book.RulesAsync, http.RequestAborted);
                    return Page.Of<AlertsPage>(new { Alerts = await alerts, Rules = await rules });
                }
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/alerts.csv",
                async (AlertStore book, CancellationToken cancellationToken) =>
                    Csv.File(
                        "alerts",
                        Columns,
                        (await book.FiredAsync(InFile, cancellationToken)).Select(a =>
                            (IReadOnlyList<object?>)
                                [
                                    a.Rule,
                                    a.Subject,
                                    a.Says,
                                    a.Since,
                                    a.FiredAt,
                                    a.ResolvedAt,
                                    a.AcknowledgedBy,
                                    a.SentAt,
                                    a.SendError,
                                ]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost("/alerts/{id:guid}/acknowledge", AcknowledgeAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/alerts/test", TestAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/alerts/rules/{name}/silence", SilenceAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/alerts/rules/{name}", ChangeAsync).Needs(OperatorRole.Admin);
    }

    private static async Task<IResult> AcknowledgeAsync(Guid id, AlertStore book, AuditLog audit, HttpContext http)
    {
        var actor = Actor.Of(http);
        var done = await book.AcknowledgeAsync(id, actor.Name, http.RequestAborted);
        await audit.WriteAsync(
            Record.Of(actor, "acknowledge alert", $"alert {id}", null, done ? "done" : "conflict"),
            http.RequestAborted
        );
        return Back(
            done
                ? "The alert is assigned to you."
                : "Nothing was changed: the alert has ended, or is assigned to another operator."
        );
    }

    private static async Task<IResult> TestAsync(AlertService alerts, AuditLog audit, HttpContext http)
    {
        var actor = Actor.Of(http);
        var answers = await alerts.TestAsync(actor.Name, http.RequestAborted);
        var says =
            answers.Count == 0
                ? "No alert receiver is configured. Set Alerts__WebhookUrl, or Alerts__MailTo and Email__Smtp__Host."
                : string.Join(
                    " ",
                    answers.Select(a =>
                        a.Fault is null ? $"Sent a test to {a.Receiver}." : $"The test did not reach {a.Fault}"
                    )
                );
        await audit.WriteAsync(
            Record.Of(actor, "test alerts", null, null, answers.All(a => a.Fault is null) ? "done" : "failed"),
            http.RequestAborted
        );
        return Back(says);
    }

    private static async Task<IResult> SilenceAsync(string name, AlertStore book, AuditLog audit, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var hours = double.TryParse(form["hours"], CultureInfo.InvariantCulture, out var given) ? given : 0;
        TimeSpan? time =
            hours > 0 && TimeSpan.FromHours(Math.Min(hours, 10_000)) is var asked && asked <= LongestSilence
                ? asked
                : null;
        var done = await book.SilenceAsync(name, time, http.RequestAborted);
        await audit.WriteAsync(
            Record.Of(
                Actor.Of(http),
                time is null ? "end silence" : "silence",
                $"alert rule {name}",
                Reason(form),
                done ? "done" : "no such rule"
            ),
            http.RequestAborted
        );
        return Back(
            !done ? $"There is no rule {name}."
            : time is null ? $"Alerts of {name} are sent."
            : $"Alerts of {name} are not sent for {Texts.Duration(time)}."
        );
    }

    private static async Task<IResult> ChangeAsync(string name, AlertStore book, AuditLog audit, HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        if (
            !double.TryParse(form["threshold"], CultureInfo.InvariantCulture, out var threshold)
            || threshold is not (>= 0 and < 1e9)
            || !double.TryParse(form["hold"], CultureInfo.InvariantCulture, out var hold)
            || hold is not (>= 0 and <= 86_400)
        )
        {
            return Back("Nothing was changed: the threshold must be a number from 0, the hold time 0–86,400 s.");
        }

        var done = await book.ChangeAsync(
            name,
            threshold,
            TimeSpan.FromSeconds(hold),
            form["enabled"] == "on",
            http.RequestAborted
        );
        await audit.WriteAsync(
            Record.Of(
                Actor.Of(http),
                "change alert rule",
                $"alert rule {name}",
                Reason(form),
                done
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"threshold {threshold}, hold {hold} s, {(form["enabled"] == "on" ? "on" : "off")}"
                    )
                    : "no such rule"
            ),
            http.RequestAborted
        );
        return Back(done ? $"Rule {name} is changed." : $"There is no rule {name}.");
    }

    private static string? Reason(IFormCollection form) =>
        form["reason"].ToString().Trim() is { Length: > 0 } reason ? reason[..Math.Min(reason.Length, 500)] : null;

    private static IResult Back(string done) => Form.Back("/alerts", done);
}
