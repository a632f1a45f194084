using System.Globalization;
using System.Text;
using QueueWorkers.Outbox;

namespace QueueWorkers.Steps.Endpoints;

/// <summary>
/// The system's description of itself, derived from the catalogue; the documentation is checked against it.
/// </summary>
public static class Description
{
    /// <summary>
    /// A table of the steps: what each consumes, where it listens, how it is repeated, and when it gives up.
    /// </summary>
    public static string Of(StepCatalogue catalogue)
    {
        var text = new StringBuilder();
        text.AppendLine(
            "| step | consumes | queue | at a time | time limit | retries | redeliveries after | attempts |"
        );
        text.AppendLine("|---|---|---|---|---|---|---|---|");
        foreach (var step in catalogue.Steps)
        {
            var policy = step.Policy;
            var retries =
                policy.Retry.Count == 0
                    ? "none"
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"{policy.Retry.Count} from {Short(policy.Retry.From)}"
                    );
            var redeliveries =
                policy.Redelivery.Delays.Count == 0
                    ? "none"
                    : string.Join(", ", policy.Redelivery.Delays.Select(Short));
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {step.Name} | {string.Join(", ", step.Consumes.Select(t => t.Name))} | {step.Name} | {policy.Concurrency} | {Short(policy.Timeout)} | {retries} | {redeliveries} | {policy.PlannedAttempts} |"
            );
        }

        text.AppendLine();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"Published, without a queue: {string.Join(", ", catalogue.IntegrationEvents.Select(MessageName.ExchangeOf))}"
        );
        return text.ToString();
    }

    private static string Short(TimeSpan time) =>
        time switch
        {
            { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
            { TotalMinutes: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
            { TotalSeconds: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        };
}
