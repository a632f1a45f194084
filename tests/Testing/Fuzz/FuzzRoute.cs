using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Orders.Testing.Fuzz;

/// <summary>
/// What a fuzz run knows besides the routes themselves. A route that is in none of these is called with values that fit
/// the types of its parameters.
/// </summary>
public sealed record FuzzSamples
{
    /// <summary>
    /// Values of route parameters, by the name of the parameter, or by the segment before and the name:
    /// <c>steps/name</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string[]> Values { get; init; } = new Dictionary<string, string[]>();

    /// <summary>Bodies by method and pattern: <c>POST /orders</c>.</summary>
    public IReadOnlyDictionary<string, string[]> Bodies { get; init; } = new Dictionary<string, string[]>();

    /// <summary>The headers of a valid request, by its path.</summary>
    public required Func<string, IEnumerable<(string Name, string Value)>> Headers { get; init; }

    /// <summary>How the host reads JSON.</summary>
    public JsonSerializerOptions Json { get; init; } = JsonSerializerOptions.Web;
}

/// <summary>A route, and how it is called.</summary>
public sealed class FuzzRoute
{
    private readonly FuzzSamples _samples;
    private readonly RoutePattern _pattern;
    private readonly string _method;
    private readonly (string Name, string Value)[] _query;
    private readonly string[]? _bodies;

    private FuzzRoute(RouteEndpoint endpoint, string method, FuzzSamples samples)
    {
        (_samples, _pattern, _method) = (samples, endpoint.RoutePattern, method);
        var inPath = _pattern.Parameters.Select(p => p.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        _query =
        [
            .. endpoint
                .Metadata.GetOrderedMetadata<IParameterBindingMetadata>()
                .Where(p => !inPath.Contains(p.Name) && JsonSample.Simple(p.ParameterInfo.ParameterType) is not null)
                .Select(p => (p.Name, Uri.EscapeDataString(JsonSample.Simple(p.ParameterInfo.ParameterType)!))),
        ];
        var accepted = endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType;
        _bodies =
            samples.Bodies.GetValueOrDefault(Name)
            ?? (accepted is null || method == "GET" ? null : [JsonSample.Of(accepted, samples.Json)]);
    }

    /// <summary>Method and pattern.</summary>
    public string Name => $"{_method} /{_pattern.RawText?.TrimStart('/')}";

    /// <summary>The routes of a host.</summary>
    /// <param name="endpoints">All endpoints.</param>
    /// <param name="samples">What is known besides.</param>
    /// <param name="isWanted">Chooses by method and pattern.</param>
    public static IReadOnlyList<FuzzRoute> Of(
        EndpointDataSource endpoints,
        FuzzSamples samples,
        Func<string, bool> isWanted
    ) =>
        [
            .. endpoints
                .Endpoints.OfType<RouteEndpoint>()
                .SelectMany(endpoint =>
                    (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(
                        method => new FuzzRoute(endpoint, method, samples)
                    )
                )
                .Where(route => isWanted(route.Name))
                .OrderBy(route => route.Name, StringComparer.Ordinal),
        ];

    /// <summary>A valid request.</summary>
    public FuzzRequest Sample(Random random)
    {
        var path = Path(random);
        var body = _bodies is null ? null : Encoding.UTF8.GetBytes(_bodies[random.Next(_bodies.Length)]);
        var headers = _samples.Headers(path).ToList();
        if (body is not null)
            headers.Add(("Content-Type", "application/json"));
        return new FuzzRequest(_method, path, [.. _query.Where(_ => random.Next(2) == 0)], headers, body);
    }

    private string Path(Random random)
    {
        var path = new StringBuilder();
        var before = "";
        foreach (var segment in _pattern.PathSegments)
        {
            path.Append('/');
            foreach (var part in segment.Parts)
            {
                switch (part)
                {
                    case RoutePatternLiteralPart literal:
                        path.Append(before = literal.Content);
                        break;
                    case RoutePatternSeparatorPart separator:
                        path.Append(separator.Content);
                        break;
                    case RoutePatternParameterPart parameter:
                        path.Append(ValueOf(parameter, before, random));
                        break;
                }
            }
        }

        return path.Length == 0 ? "/" : path.ToString();
    }

    private string ValueOf(RoutePatternParameterPart parameter, string before, Random random)
    {
        var known =
            _samples.Values.GetValueOrDefault($"{before}/{parameter.Name}")
            ?? _samples.Values.GetValueOrDefault(parameter.Name);
        return known is not null ? known[random.Next(known.Length)]
            : parameter.ParameterPolicies.Any(policy => policy.Content == "guid") ? JsonSample.Simple(typeof(Guid))!
            : "1";
    }
}
