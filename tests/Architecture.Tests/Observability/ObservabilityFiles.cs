using System.Text.Json.Nodes;
using Orders.Architecture.Tests.Kubernetes;

namespace Orders.Architecture.Tests.Observability;

/// <summary>A rule of Prometheus.</summary>
/// <param name="File">Its file.</param>
/// <param name="Json">What it says.</param>
internal sealed record PrometheusRule(string File, JsonObject Json)
{
    /// <summary>Whether it raises an alert; otherwise it records.</summary>
    public bool IsAlert => Json.ContainsKey("alert");

    /// <summary>The alert's name, or that of what is recorded.</summary>
    public string Name => (Json["alert"] ?? Json["record"])!.ToString();

    /// <summary>Its expression.</summary>
    public string Expression => Json["expr"]!.ToString();

    /// <summary>A label of the alert.</summary>
    public string Label(string name) => Json["labels"]?[name]?.ToString() ?? "";

    /// <summary>An annotation of the alert.</summary>
    public string Annotation(string name) => Json["annotations"]?[name]?.ToString() ?? "";
}

/// <summary>A query of a dashboard.</summary>
/// <param name="Panel">The title of its panel.</param>
/// <param name="Expression">The query, with Grafana's variables.</param>
internal sealed record DashboardQuery(string Panel, string Expression)
{
    /// <summary>The query as Prometheus gets it, for all steps.</summary>
    public string Substituted =>
        Expression
            .Replace("$__rate_interval", "1m", StringComparison.Ordinal)
            .Replace("$__range", "1h", StringComparison.Ordinal)
            .Replace("$step", ".*", StringComparison.Ordinal);
}

/// <summary>The files of <c>deploy/observability</c>.</summary>
internal static class ObservabilityFiles
{
    public const string Folder = "deploy/observability";

    /// <summary>What each selector of KEDA's queries begins with.</summary>
    public const string OperatorLabel = "namespace=\"orders\",";

    /// <summary>Every rule of every file.</summary>
    public static IReadOnlyList<PrometheusRule> Rules { get; } =
    [
        .. Repository
            .Find($"{Folder}/rules", "*.yml")
            .Order(StringComparer.Ordinal)
            .SelectMany(file => RulesOf(file, Repository.Read(file))),
    ];

    /// <summary>The dashboards, by their paths.</summary>
    public static IReadOnlyDictionary<string, JsonNode> Dashboards { get; } =
        Repository
            .Find($"{Folder}/grafana/dashboards", "*.json")
            .ToDictionary(file => file, file => JsonNode.Parse(Repository.Read(file))!);

    /// <summary>The panels of a dashboard, without the rows that head them.</summary>
    public static IEnumerable<JsonNode> Panels(JsonNode dashboard) =>
        dashboard["panels"]!.AsArray().Select(panel => panel!).Where(panel => panel["type"]!.ToString() != "row");

    /// <summary>Every query of every panel.</summary>
    public static IReadOnlyList<DashboardQuery> Queries { get; } =
    [
        .. Dashboards
            .Values.SelectMany(Panels)
            .SelectMany(panel =>
                panel["targets"]!
                    .AsArray()
                    .Select(target => new DashboardQuery(panel["title"]!.ToString(), target!["expr"]!.ToString()))
            ),
    ];

    /// <summary>
    /// Every query that KEDA asks Prometheus, with the name of its object. The label that the Prometheus operator adds
    /// is left out.
    /// </summary>
    public static IReadOnlyList<(string Where, string Expression)> ScalingQueries { get; } =
    [
        .. Kustomize
            .Parse(Repository.Read($"{Kustomize.Folder}/operators/scaling.yaml"))
            .Where(document => document["kind"]!.ToString() == "ScaledObject")
            .SelectMany(scaled =>
                scaled["spec"]!["triggers"]!
                    .AsArray()
                    .Select(trigger => trigger!["metadata"]!["query"]?.ToString())
                    .OfType<string>()
                    .Select(query =>
                        (
                            $"ScaledObject {scaled["metadata"]!["name"]}",
                            query.Replace(OperatorLabel, "", StringComparison.Ordinal)
                        )
                    )
            ),
    ];

    /// <summary>Every expression that Prometheus gets: of rules, dashboards and KEDA, with where it stands.</summary>
    public static IEnumerable<(string Where, string Expression)> Expressions =>
        Rules
            .Select(rule => ($"rule {rule.Name}", rule.Expression))
            .Concat(Queries.Select(query => ($"panel '{query.Panel}'", query.Substituted)))
            .Concat(ScalingQueries);

    /// <summary>A YAML file.</summary>
    public static JsonObject Yaml(string path) => Kustomize.Parse(Repository.Read(path)).Single();

    /// <summary>The rules of a file's text.</summary>
    public static IEnumerable<PrometheusRule> RulesOf(string file, string text) =>
        Kustomize.Parse(text).Single()["groups"]!
            .AsArray()
            .SelectMany(group => group!["rules"]!.AsArray())
            .Select(rule => new PrometheusRule(file, rule!.AsObject()));
}
