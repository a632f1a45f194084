using System.Text.Json;

namespace Orders.Architecture.Tests.Observability;

/// <summary>Asks a Prometheus that runs.</summary>
internal sealed class PrometheusApi(int port) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

    /// <summary>Runs an expression.</summary>
    /// <returns>The series that it has a value for now, each with its labels and its value.</returns>
    public async Task<IReadOnlyList<(Dictionary<string, string> Labels, string Value)>> QueryAsync(string expression)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("query", expression)]);
        using var answer = await _http.PostAsync(new Uri("/api/v1/query", UriKind.Relative), form);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.That(
            json.RootElement.GetProperty("status").GetString(),
            Is.EqualTo("success"),
            $"{expression}: {json.RootElement}"
        );
        return
        [
            .. json
                .RootElement.GetProperty("data")
                .GetProperty("result")
                .EnumerateArray()
                .Select(series =>
                    (
                        series
                            .GetProperty("metric")
                            .EnumerateObject()
                            .ToDictionary(label => label.Name, label => label.Value.GetString()!),
                        series.GetProperty("value")[1].GetString()!
                    )
                ),
        ];
    }

    /// <summary>Whether it answers.</summary>
    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri("/-/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
    }

    /// <summary>The rules, as Prometheus has loaded and run them.</summary>
    public async Task<IReadOnlyList<JsonElement>> RulesAsync()
    {
        using var json = JsonDocument.Parse(await _http.GetStringAsync(new Uri("/api/v1/rules", UriKind.Relative)));
        return
        [
            .. json
                .RootElement.GetProperty("data")
                .GetProperty("groups")
                .EnumerateArray()
                .SelectMany(group => group.GetProperty("rules").EnumerateArray())
                .Select(rule => rule.Clone()),
        ];
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
