using System.Diagnostics;
using Orders.Architecture.Tests.Dev;
using Orders.Testing;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// A Prometheus of this machine, with the rules of the repository and targets of a test. PROMETHEUS names another program.
/// </summary>
internal sealed class PrometheusProcess : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orders-prometheus-").FullName;
    private readonly Process _process;
    private readonly Task<string> _log;

    private PrometheusProcess(string targets)
    {
        var port = Clone.FreePort();
        var rules = Path.Combine(Repository.Root, ObservabilityFiles.Folder, "rules");
        File.WriteAllText(
            Path.Combine(_folder, "prometheus.yml"),
            $$"""
            global: { scrape_interval: 2s, evaluation_interval: 2s }
            rule_files: ["{{rules}}/*.yml"]
            scrape_configs:
              - job_name: orders
                static_configs:
            {{targets}}
            """
        );
        var start = new ProcessStartInfo(
            Promtool.Find("PROMETHEUS", "prometheus"),
            [
                $"--config.file={_folder}/prometheus.yml",
                $"--storage.tsdb.path={_folder}/data",
                $"--web.listen-address=127.0.0.1:{port}",
            ]
        )
        {
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _log = _process.StandardError.ReadToEndAsync();
        Api = new PrometheusApi(port);
    }

    /// <summary>Asks it.</summary>
    public PrometheusApi Api { get; }

    /// <summary>Starts it.</summary>
    /// <param name="targets">Items of <c>static_configs</c>, as lines of YAML.</param>
    public static async Task<PrometheusProcess> StartAsync(string targets)
    {
        var started = new PrometheusProcess(targets);
        await Eventually.Is(
            async () =>
                started._process.HasExited
                    ? throw new InvalidOperationException($"Prometheus ended: {await started._log}")
                    : await started.Api.IsReadyAsync(),
            "Prometheus is ready",
            TimeSpan.FromMinutes(2)
        );
        return started;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
