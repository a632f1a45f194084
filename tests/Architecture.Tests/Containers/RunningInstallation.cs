using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Orders.Architecture.Tests.Containers;

/// <summary>The containers of a compose project, as the engine describes them.</summary>
internal sealed class RunningInstallation : IAsyncDisposable
{
    // What ./dev is told beside .env: a test that changes a secret leaves .env as it is.
    private readonly Dictionary<string, string> _environment;
    private readonly SortedSet<string> _changed = new(StringComparer.Ordinal);
    private readonly string _override = Path.Combine(Path.GetTempPath(), $"orders-{Guid.NewGuid():N}.yml");

    private RunningInstallation(string project, bool isOurs, Dictionary<string, string> environment) =>
        (Project, IsOurs, _environment) = (project, isOurs, environment);

    /// <summary>The compose project.</summary>
    public string Project { get; }

    /// <summary>Whether it was started here, and is removed at the end.</summary>
    public bool IsOurs { get; }

    /// <summary>Its containers that run, and <c>migrate</c>, which has ended.</summary>
    public IReadOnlyList<RunningContainer> Containers { get; private set; } = [];

    /// <summary>The names in <c>.env</c>.</summary>
    public static IEnumerable<string> SecretNames =>
        Lines(Env).Where(IsSetting).Select(line => line[..line.IndexOf('=')]);

    private static string Env => Repository.Read(".env");

    /// <summary>
    /// The project that <c>ORDERS_RUNNING_PROJECT</c> names; without it, one that is started here and removed at the
    /// end: <c>CONTAINERS_PROJECT</c>, with ports from <c>CONTAINERS_PORT</c>.
    /// </summary>
    public static async Task<RunningInstallation> OpenAsync()
    {
        var named = Variable("ORDERS_RUNNING_PROJECT", "");
        var project = Variable("CONTAINERS_PROJECT", "orders-containers");
        var installation =
            named != ""
                ? new RunningInstallation(named, isOurs: false, new() { ["COMPOSE_PROJECT_NAME"] = named })
                : new RunningInstallation(project, isOurs: true, Settings(project));
        if (installation.IsOurs)
            await RunAsync(TimeSpan.FromMinutes(25), "bash", ["dev", "up"], installation._environment);
        var ids = await DockerAsync(
            "ps",
            "-aq",
            "--filter",
            $"label=com.docker.compose.project={installation.Project}",
            "--filter",
            "label=com.docker.compose.oneoff=False"
        );
        Assert.That(ids, Is.Not.Empty, $"containers of project '{installation.Project}'");
        using var all = JsonDocument.Parse(await DockerAsync(["inspect", .. Lines(ids)]));
        installation.Containers = [.. all.RootElement.EnumerateArray().Select(c => new RunningContainer(c.Clone()))];
        return installation;
    }

    /// <summary>The first container of a service.</summary>
    public RunningContainer Of(string service) => Containers.First(c => c.Service == service);

    /// <summary>The value of a setting, as ./dev has it.</summary>
    public string Secret(string name) =>
        _environment.TryGetValue(name, out var value)
            ? value
            : Lines(Env)
                .First(line => line.StartsWith($"{name}=", StringComparison.Ordinal))[(name.Length + 1)..]
                .Trim('\'', '"');

    /// <summary>Changes a setting for the next command of ./dev.</summary>
    /// <remarks>
    /// <c>migrate</c> reads the passwords that it sets from <c>.env</c> itself, where other installations of this clone
    /// have theirs: it gets the changed ones by a compose file of their own.
    /// </remarks>
    public void Change(string name, string value)
    {
        _environment[name] = value;
        _changed.Add(name);
        File.WriteAllText(
            _override,
            "services:\n  migrate:\n    environment:\n"
                + string.Concat(_changed.Select(changed => $"      {changed}: ${{{changed}}}\n"))
        );
        _environment["COMPOSE_FILE"] = $"docker-compose.yml:{_override}";
    }

    /// <summary>Runs a command of <c>./dev</c> on it.</summary>
    public Task<string> DevAsync(params IReadOnlyList<string> arguments) =>
        RunAsync(TimeSpan.FromMinutes(15), "bash", ["dev", .. arguments], _environment);

    /// <summary>Runs <c>docker</c>.</summary>
    /// <returns>What it printed.</returns>
    public static Task<string> DockerAsync(params IReadOnlyList<string> arguments) =>
        RunAsync(TimeSpan.FromMinutes(2), "docker", arguments, []);

    /// <summary>The lines of a text that are not empty.</summary>
    public static string[] Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (IsOurs)
            await RunAsync(TimeSpan.FromMinutes(5), "bash", ["dev", "down", "--volumes"], _environment);
        File.Delete(_override);
    }

    private static bool IsSetting(string line) => line[0] != '#' && line.Contains('=', StringComparison.Ordinal);

    private static string Variable(string name, string fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : fallback;

    // Beside whatever else runs on this machine.
    private static Dictionary<string, string> Settings(string project)
    {
        var settings = new Dictionary<string, string>
        {
            ["COMPOSE_PROJECT_NAME"] = project,
            ["COMPOSE_PROFILES"] = "demo",
            // Whatever .env says.
            ["COMPOSE_FILE"] = "docker-compose.yml",
        };
        var port = int.Parse(Variable("CONTAINERS_PORT", "19080"), CultureInfo.InvariantCulture);
        foreach (var published in ExpectedContainers.Ports)
            settings[published.Variable] = (port++).ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    private static async Task<string> RunAsync(
        TimeSpan atMost,
        string program,
        IReadOnlyList<string> arguments,
        Dictionary<string, string> environment
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(atMost);
        await process.WaitForExitAsync(patience.Token);
        Assert.That(
            process.ExitCode,
            Is.Zero,
            $"{program} {string.Join(' ', arguments)}: {await output}{await errors}"
        );
        return await output;
    }
}

/// <summary>One container.</summary>
/// <param name="json">What <c>docker inspect</c> prints.</param>
internal sealed class RunningContainer(JsonElement json)
{
    /// <summary>Its name.</summary>
    public string Name { get; } = json.GetProperty(nameof(Name)).GetString()!.TrimStart('/');

    /// <summary>Its service.</summary>
    public string Service { get; } =
        json.GetProperty("Config").GetProperty("Labels").GetProperty("com.docker.compose.service").GetString()!;

    /// <summary>Its project.</summary>
    public string Project { get; } =
        json.GetProperty("Config").GetProperty("Labels").GetProperty("com.docker.compose.project").GetString()!;

    /// <summary>Whether it runs.</summary>
    public bool Runs { get; } = json.GetProperty("State").GetProperty("Running").GetBoolean();

    /// <summary>Whether its image is that of a server, and not built here.</summary>
    public bool IsServer => ExpectedContainers.Servers.Contains(Service);

    /// <summary>The user that its image or compose names.</summary>
    public string User => json.GetProperty("Config").GetProperty(nameof(User)).GetString()!;

    /// <summary>What the engine allows it.</summary>
    public JsonElement Host => json.GetProperty("HostConfig");

    /// <summary>Its networks, without the project's name, and its address on each.</summary>
    public IReadOnlyDictionary<string, string> Networks { get; } =
        json.GetProperty("NetworkSettings")
            .GetProperty(nameof(Networks))
            .EnumerateObject()
            .ToDictionary(
                network => network.Name[(network.Name.IndexOf('_', StringComparison.Ordinal) + 1)..],
                network => network.Value.GetProperty("IPAddress").GetString()!
            );

    /// <summary>Its published ports: its own port, and address and port on this machine.</summary>
    public IReadOnlyList<(int Target, string Address, int Port)> Published { get; } =
    [
        .. json.GetProperty("NetworkSettings")
            .GetProperty("Ports")
            .EnumerateObject()
            .Where(port => port.Value.ValueKind == JsonValueKind.Array)
            .SelectMany(port =>
                port.Value.EnumerateArray()
                    .Select(binding =>
                        (
                            int.Parse(port.Name.Split('/')[0], CultureInfo.InvariantCulture),
                            binding.GetProperty("HostIp").GetString()!,
                            int.Parse(binding.GetProperty("HostPort").GetString()!, CultureInfo.InvariantCulture)
                        )
                    )
            ),
    ];

    /// <summary>Runs a line of bash inside.</summary>
    /// <param name="script">The line; <c>$0</c>, <c>$1</c> … are the arguments.</param>
    /// <param name="arguments">The arguments.</param>
    public Task<string> BashAsync(string script, params IReadOnlyList<string> arguments) =>
        RunningInstallation.DockerAsync(["exec", Name, "bash", "-c", script, .. arguments]);
}
