using System.Diagnostics;

namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// A copy of <c>./dev</c>, its scripts and the compose files in a folder of its own, with a <c>docker</c> that answers
/// what the test says and writes down how it was called.
/// </summary>
internal sealed class Clone : IDisposable
{
    // `*` matches, and the newest answer wins: a test says only what is different.
    private const string Docker = """
        #!/usr/bin/env bash
        echo "$*" >>"$STAND_IN/calls"
        while IFS=$'\t' read -r pattern code text; do
          # shellcheck disable=SC2053 # a pattern
          [[ "$*" == $pattern ]] || continue
          if [[ $text == once:* ]]; then
            [ ! -e "$STAND_IN/${text#once:}" ] || continue
            : >"$STAND_IN/${text#once:}"
            exit "$code"
          fi
          if [[ $text == wait:* ]]; then until [ -e "$STAND_IN/${text#wait:}" ]; do sleep 0.05; done; exit "$code"; fi
          if [ "$code" -eq 0 ]; then printf '%b' "$text"; else printf '%b' "$text" >&2; fi
          exit "$code"
        done <"$STAND_IN/answers"
        """;

    private readonly string _standIn;
    private readonly List<string> _answers = [];

    public Clone()
    {
        Folder = Directory.CreateTempSubdirectory("orders-clone-").FullName;
        _standIn = Directory.CreateDirectory(Path.Combine(Folder, "stand-in")).FullName;
        string[] folders =
        [
            "dev",
            "machine",
            "chaos",
            "cluster",
            "pgbouncer",
            "replica",
            "observability",
            "settings",
            "email",
        ];
        var files = folders.SelectMany(f => Repository.Find($"deploy/{f}", "*"));
        foreach (var file in files.Append("dev").Append("docker-compose.yml").Append("docker-compose.tls.yml"))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Folder, file))!);
            File.Copy(Path.Combine(Repository.Root, file), Path.Combine(Folder, file));
        }

        Command("docker", Docker);
        Answer("*", "");
        Answer("version *", "1.47\n");
        Answer("compose version --short", "2.40.3\n");
        Answer("context show", "default\n");
        Answer("info --format {{.MemTotal}}", $"{16L << 30}\n");
        Answer("info --format {{.DockerRootDir}}", $"{_standIn}\n");
        Answer("volume inspect *", "no such volume\n", code: 1);
        // What set-up would install or measure on this machine is the test's to say.
        Command("id", "#!/usr/bin/env bash\nif [ \"$1\" = -u ]; then echo 1000; else echo ada; fi\n");
        Command("df", "#!/usr/bin/env bash\nprintf 'Filesystem\\nx 1 1 %s 1%% /\\n' $((200 * 1024 * 1024))\n");
        Setting("MINIMUM_AVAILABLE_MEMORY_MB", "0");
        string[] ports = ["API_PORT", "DASHBOARD_PORT", "OUTSIDE_WORLD_PORT", "RABBITMQ_MANAGEMENT_PORT"];
        foreach (var port in ports)
            Setting(port, FreePort().ToString(System.Globalization.CultureInfo.InvariantCulture));
        Setting("CHAOS_PORT", FreePort().ToString(System.Globalization.CultureInfo.InvariantCulture));
        // This repository's own settings are none of the clone's.
        string[] foreign = ["DOCKER_HOST", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "ORDERS_LOG_LINES", "BIND_ADDRESS"];
        foreach (var name in foreign)
            Setting(name, "");
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>Where its commands keep locks, downloads and logs.</summary>
    public string Cache => Directory.CreateDirectory(Path.Combine(Folder, "cache/orders")).FullName;

    /// <summary>The environment of its commands.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>How <c>docker</c> was called.</summary>
    public string Calls =>
        File.Exists(Path.Combine(_standIn, "calls")) ? File.ReadAllText(Path.Combine(_standIn, "calls")) : "";

    /// <summary>The text of <c>.env</c>; empty when there is none.</summary>
    public string Env
    {
        get => File.Exists(Path.Combine(Folder, ".env")) ? File.ReadAllText(Path.Combine(Folder, ".env")) : "";
        set => File.WriteAllText(Path.Combine(Folder, ".env"), value);
    }

    /// <summary>What <c>docker</c> answers to calls like the pattern; the last that matches counts.</summary>
    public void Answer(string pattern, string text, int code = 0)
    {
        _answers.Insert(0, $"{pattern}\t{code}\t{text.Replace("\n", "\\n", StringComparison.Ordinal)}");
        File.WriteAllText(Path.Combine(_standIn, "answers"), string.Join('\n', _answers) + "\n");
    }

    /// <summary>Lets calls like the pattern stand until <see cref="Release"/>.</summary>
    public void Hold(string pattern) => Answer(pattern, "wait:released");

    /// <summary>Lets the first call like the pattern fail; the next ones are answered as before.</summary>
    public void FailOnce(string pattern) => Answer(pattern, $"once:failed-{_answers.Count}", code: 1);

    /// <summary>Lets what is held go on.</summary>
    public void Release() => File.WriteAllText(Path.Combine(_standIn, "released"), "");

    /// <summary>Lets <c>docker</c> be the machine's own.</summary>
    public void RealDocker()
    {
        File.Delete(Path.Combine(_standIn, "docker"));
        // To compose an empty name is a name.
        Setting("COMPOSE_FILE", "docker-compose.yml");
        Setting("COMPOSE_PROJECT_NAME", "orders");
    }

    /// <summary>What the scripts read of a variable of <c>.env</c>.</summary>
    public string Setting(string name)
    {
        var start = new ProcessStartInfo("awk", ["-v", $"want={name}", "-f", "deploy/machine/dotenv.awk", ".env"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd();
    }

    /// <summary>A variable of the environment.</summary>
    public void Setting(string name, string value) => Settings[name] = value;

    /// <summary>A command that is found before the machine's own.</summary>
    public void Command(string name, string script)
    {
        var path = Path.Combine(_standIn, name);
        File.WriteAllText(path, script);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A port that nobody listens on, and that nobody in this process was told before.</summary>
    public static int FreePort() => Orders.Testing.Servers.FreePort.Take();

    /// <summary>Starts <c>./dev</c>.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", ["dev", .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Settings)
            start.Environment[name] = value;
        // Empty is a choice, too: none.
        start.Environment.Remove("COMPOSE_PROFILES");
        start.Environment["STAND_IN"] = _standIn;
        start.Environment["XDG_CACHE_HOME"] = Path.Combine(Folder, "cache");
        start.Environment["PATH"] = $"{_standIn}:{Environment.GetEnvironmentVariable("PATH")}";
        return Process.Start(start)!;
    }

    /// <summary>Runs <c>./dev</c> to its end.</summary>
    public async Task<Answer> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        return await EndAsync(process);
    }

    /// <summary>Waits for the end of a command.</summary>
    public static async Task<Answer> EndAsync(Process process)
    {
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync()
        );
        await process.WaitForExitAsync();
        return new Answer(process.ExitCode, output[0], output[1]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Release();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>What a command printed.</summary>
internal sealed record Answer(int Code, string Output, string Errors)
{
    /// <summary>Both, as a terminal shows them.</summary>
    public string Text => Output + Errors;
}
